package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/driftsentry/driftsentry/internal/drift"
)

// maxMarkdown fits a comment on GitHub (65,536 characters) and GitLab alike.
const maxMarkdown = 60_000

// markdown writes for a comment on a change or a job's summary. Its first line
// is invisible and lets a script find the comment again, to replace it.
func (r *Report) markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "<!-- driftsentry scan %s -->\n### %s: %s\n\n", marker(r.Stack), code(r.Stack), r.headline())
	for _, caveat := range r.caveats() {
		fmt.Fprintf(&b, "> %s\n\n", escape(caveat))
	}
	foot := r.markdownFoot()
	for _, origin := range drift.Origins() {
		r.markdownSection(&b, origin, maxMarkdown-len(foot))
	}
	b.WriteString(foot)
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Report) markdownSection(b *strings.Builder, origin drift.Origin, limit int) {
	drifts := r.listed(origin)
	if r.open(origin) == 0 {
		return
	}
	const rest = 400 // for the line that says how many are left out
	fmt.Fprintf(b, "**%s**: %s\n\n", titles[origin], r.severities(origin))
	left := r.omitted(origin)
	if len(drifts) > 0 {
		b.WriteString("| severity | state | resource | why |\n|---|---|---|---|\n")
	}
	for i := range drifts {
		d := &drifts[i]
		severity := string(d.Severity)
		if r.Policy.Fails(d.Origin, d.Severity) {
			severity = "**" + severity + "**"
		}
		row := fmt.Sprintf("| %s | %s | %s | %s |\n", severity, r.state(d), code(d.Address), escape(d.SeverityReason))
		if b.Len()+len(row)+rest > limit {
			left += len(drifts) - i
			break
		}
		b.WriteString(row)
	}
	if left > 0 {
		more := fmt.Sprintf("and %d more", left)
		if r.URL != "" {
			more = "[" + more + "](" + r.URL + ")"
		}
		fmt.Fprintf(b, "\n%s\n", more)
	}
	b.WriteByte('\n')
}

func (r *Report) markdownFoot() string {
	parts := []string{r.found(), "fails on " + r.Policy.String(), "correlation id " + code(r.Correlation)}
	if r.Trace != "" {
		parts = append(parts, "trace "+code(r.Trace))
	}
	if r.URL != "" {
		parts = append(parts, "[the scan]("+r.URL+")")
	}
	return "<sub>" + strings.Join(parts, " · ") + "</sub>\n"
}

// marker is text in a comment: as it is, for scripts that look for it, but that it
// can't end the comment.
func marker(text string) string {
	return strings.NewReplacer("<", "&#60;", ">", "&#62;").Replace(clean(text))
}

// code is text in a code span, which nothing in it can end.
func code(text string) string {
	text = strings.ReplaceAll(clean(text), "|", `\|`)
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	if len(fence) > 1 {
		text = " " + text + " "
	}
	return fence + text + fence
}

// escape is text that Markdown leaves as it is: no markup, no mention of people,
// no end of a comment.
func escape(text string) string {
	var b strings.Builder
	for _, c := range clean(text) {
		switch c {
		case '\\', '`', '*', '_', '[', ']', '|', '~', '#', '!':
			b.WriteByte('\\')
			b.WriteRune(c)
		case '<', '>', '&', '@':
			fmt.Fprintf(&b, "&#%d;", c)
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}
