package terraform

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestPipelineKeepsTheOrder(t *testing.T) {
	var l pipeline
	l.start()
	var got []string
	var want []string
	for i := range 5000 {
		text := fmt.Sprint(i)
		if i%1000 == 999 {
			text += strings.Repeat("x", batchSize) // too large to be handed over
		}
		want = append(want, text)
		if err := l.hand([]byte(text), position{}, func(text []byte) error {
			got = append(got, string(text))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.finish(); err != nil {
		t.Fatal(err)
	}
	if strings.Join(got, ",") != strings.Join(want, ",") {
		t.Errorf("the worker saw %d values in another order than the %d handed over", len(got), len(want))
	}
}

func TestPipelineStopsAtTheFirstFailure(t *testing.T) {
	broken := errors.New("broken")
	for _, large := range []bool{false, true} {
		var l pipeline
		l.start()
		seen := 0
		fail := func([]byte) error { seen++; return broken }
		var err error
		for i := range 100_000 {
			text := make([]byte, 100)
			if large && i > 10 {
				text = make([]byte, 2*batchSize)
			}
			if err = l.hand(text, position{}, fail); err != nil {
				break
			}
		}
		if finished := l.finish(); !errors.Is(err, broken) || !errors.Is(finished, broken) || seen != 1 {
			t.Errorf("after %d values hand says %v and finish %v, want the first failure", seen, err, finished)
		}
	}
}

func TestPipelinePassesOnAPanic(t *testing.T) {
	for name, run := range map[string]func(l *pipeline) error{
		"while handing over": func(l *pipeline) error {
			for {
				if err := l.hand(make([]byte, 1000), position{}, func([]byte) error { panic("a bug") }); err != nil {
					return err
				}
			}
		},
		"at the end": func(l *pipeline) error {
			if err := l.hand([]byte("x"), position{}, func([]byte) error { panic("a bug") }); err != nil {
				return err
			}
			return l.finish()
		},
	} {
		t.Run(name, func(t *testing.T) {
			var l pipeline
			l.start()
			defer func() {
				if v := recover(); v == nil || !strings.Contains(fmt.Sprint(v), "a bug") {
					t.Errorf("recovered %v, want the worker's panic", v)
				}
				for range l.empty { // the worker ends
				}
			}()
			err := run(&l)
			t.Errorf("got %v, want a panic", err)
		})
	}
}
