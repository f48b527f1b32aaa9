package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/driftsentry/driftsentry/internal/client"
	"github.com/driftsentry/driftsentry/internal/drift"
)

// Screen is what a table is written on.
type Screen struct {
	Width int  // in columns; 0 is a pipe, where nothing is folded
	Color bool // whether it understands colours, and its owner wants them
}

const (
	// narrow is the width below which a table has no room for its columns.
	narrow = 64
	// margin is what stands left of a table.
	margin = 2
	// gap is what stands right of each column.
	gap   = 2
	bold  = "1"
	faint = "2"
)

var colors = map[drift.Severity]string{drift.Critical: "1;31", drift.Warning: "33", drift.Info: "36"}

func (s Screen) paint(code, text string) string {
	if !s.Color || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// wrap folds a line at words, each line indented.
func (s Screen) wrap(line, indent string) string {
	if s.Width > len(indent)+1 {
		line = text.WrapSoft(line, s.Width-len(indent)-1)
	}
	lines := strings.Split(line, "\n")
	for i := range lines {
		lines[i] = indent + strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// table writes for people.
func (r *Report) table(w io.Writer, screen Screen) error {
	var b strings.Builder
	b.WriteString(screen.wrap(screen.paint(bold, clean(r.Stack))+": "+r.headline(), "") + "\n")
	for _, caveat := range r.caveats() {
		b.WriteString(screen.paint("33", screen.wrap(caveat, "")) + "\n")
	}
	for _, origin := range drift.Origins() {
		r.section(&b, origin, screen)
	}
	b.WriteByte('\n')
	for _, f := range r.facts() {
		name, indent := fmt.Sprintf("%-14s  ", f.name), strings.Repeat(" ", 16)
		if screen.Width > 0 && screen.Width < narrow {
			name, indent = f.name+"\n", "  "
		}
		value := indent + f.value
		if !f.copied {
			value = screen.wrap(f.value, indent)
		}
		if !strings.HasSuffix(name, "\n") {
			value = strings.TrimPrefix(value, indent)
		}
		b.WriteString(screen.paint(faint, name) + value + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// fact is a line below the table.
type fact struct {
	name, value string
	copied      bool // by people, so it is never folded
}

func (r *Report) facts() []fact {
	verdict := "no open drift counts"
	switch n := r.Failing(); {
	case n == 1:
		verdict = "1 open drift counts"
	case n > 1:
		verdict = plural(n, "open drift") + " count"
	}
	all := []fact{
		{name: "this scan", value: r.found()},
		{name: "fails on", value: r.Policy.String() + ": " + verdict},
		{name: "correlation id", value: clean(r.Correlation), copied: true},
	}
	if r.Trace != "" {
		all = append(all, fact{name: "trace id", value: clean(r.Trace), copied: true})
	}
	if r.URL != "" {
		all = append(all, fact{name: "scan", value: clean(r.URL), copied: true})
	}
	return all
}

// section is the table of one origin; nothing if there is nothing.
func (r *Report) section(b *strings.Builder, origin drift.Origin, screen Screen) {
	drifts := r.listed(origin)
	if r.open(origin) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n\n", screen.wrap(screen.paint(bold, titles[origin])+": "+r.severities(origin), ""))
	if screen.Width > 0 && screen.Width < narrow {
		r.stacked(b, drifts, screen)
	} else if len(drifts) > 0 {
		r.columns(b, drifts, screen)
	}
	if n := r.omitted(origin); n > 0 {
		fmt.Fprintf(b, "  and %d more\n", n)
	}
}

func (r *Report) columns(b *strings.Builder, drifts []client.Drift, screen Screen) {
	t := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	style.Format.Header = text.FormatUpper
	t.SetStyle(style)
	t.AppendHeader(table.Row{"severity", "state", "resource", "why"})
	longest, longestWhy, state := 0, 0, len("state")
	for i := range drifts {
		d := &drifts[i]
		longest = max(longest, text.StringWidth(clean(d.Address)))
		longestWhy = max(longestWhy, text.StringWidth(clean(d.SeverityReason)))
		state = max(state, len(r.state(d)))
		t.AppendRow(table.Row{
			screen.paint(colors[d.Severity], string(d.Severity)), r.state(d), clean(d.Address), clean(d.SeverityReason),
		})
	}
	if screen.Width > 0 {
		// The resource gets what it needs, since it is what people copy: up to a half,
		// or to what the reasons leave. The last column of a screen stays free.
		room := screen.Width - margin - len("severity") - gap - state - gap - gap - 1
		address := min(longest, max(room/2, room-longestWhy))
		t.SetColumnConfigs([]table.ColumnConfig{
			{Number: 3, WidthMax: address, WidthMaxEnforcer: text.WrapText},
			{Number: 4, WidthMax: room - address, WidthMaxEnforcer: text.WrapSoft},
		})
	}
	for line := range strings.Lines(t.Render()) {
		b.WriteString(strings.TrimRight(strings.Repeat(" ", margin)+strings.TrimRight(line, "\n"), " ") + "\n")
	}
}

// stacked is for screens too narrow for columns.
func (r *Report) stacked(b *strings.Builder, drifts []client.Drift, screen Screen) {
	for i := range drifts {
		d := &drifts[i]
		address := clean(d.Address)
		if screen.Width > margin+1 {
			address = text.WrapText(address, screen.Width-margin-1)
		}
		fmt.Fprintf(b, "%s %s\n%s\n%s\n", screen.paint(colors[d.Severity], string(d.Severity)), r.state(d),
			"  "+strings.ReplaceAll(address, "\n", "\n  "), screen.wrap(clean(d.SeverityReason), "  "))
	}
}
