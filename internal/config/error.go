package config

import (
	"fmt"
	"strings"
)

// Error is a configuration that can't be used: every problem that was found.
type Error struct {
	Problems []Problem
}

// Problem is one variable that is missing or wrong. It never holds a secret.
type Problem struct {
	Variable string
	Wrong    string // what is the matter, as it follows the name: `is "abc"`
	Expected string // what would do: "a whole number from 0 to 65535"
}

func (p Problem) String() string {
	return fmt.Sprintf("%s %s; expected %s", p.Variable, p.Wrong, p.Expected)
}

// Error gives one line to each problem, because people fix them one by one.
func (e *Error) Error() string {
	var text strings.Builder
	text.WriteString("configuration: 1 problem")
	if n := len(e.Problems); n != 1 {
		text.Reset()
		fmt.Fprintf(&text, "configuration: %d problems", n)
	}
	for _, problem := range e.Problems {
		text.WriteString("\n  " + problem.String())
	}
	return text.String()
}
