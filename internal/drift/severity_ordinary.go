package drift

import "strings"

// ordinaryRules are for what no rule of the other families matches, and are
// asked in this order.
var ordinaryRules = []rule{
	{
		// Values are compared by somebody else; here there is nothing to see.
		name: "no news", severity: Info,
		actions: []Action{Update},
		find: func(e *evidence) (finding, bool) {
			return finding{"nothing", changed, ""}, len(e.News) == 0 && len(e.Attributes) == 0
		},
	},
	{
		// Names and notes for people and bills, which change nothing that runs.
		name: "labels only", severity: Info,
		actions: []Action{Update},
		find:    changesLabels,
	},
	{
		// The object stays as it is and comes under the code.
		name: "imported", severity: Info,
		actions: []Action{Import},
		find: func(e *evidence) (finding, bool) {
			return finding{typeName(e.Type), imported, ""}, len(e.News) == 0 && len(e.Attributes) == 0
		},
	},
	{
		// The object lives on and nobody will see it drift.
		name: "forgotten", severity: Warning,
		actions: []Action{Forget},
		find:    happens(forgotten),
	},
	{name: "created", severity: Warning, actions: []Action{Create}, find: happens(created)},
	{name: "deleted", severity: Warning, actions: []Action{Delete}, find: happens(deleted)},
	{name: "replaced", severity: Warning, actions: []Action{Replace}, find: happens(replaced)},
	{
		name: "changed", severity: Warning,
		find: func(e *evidence) (finding, bool) { return sayChanged(e.Subject), true },
	},
}

func happens(what verb) func(*evidence) (finding, bool) {
	return func(e *evidence) (finding, bool) { return finding{typeName(e.Type), what, ""}, true }
}

// changesLabels matches news about labels and descriptions alone.
func changesLabels(e *evidence) (finding, bool) {
	if len(e.News) == 0 {
		return finding{}, false
	}
	var first string
	several := false
	for i, path := range e.News {
		name, rest := splitPath(path)
		switch {
		case isLabel(e.Type, name):
		case isLabel(e.Type, blockMember(rest)):
			name = blockMember(rest)
		default:
			return finding{}, false
		}
		if i == 0 {
			first = name
		}
		several = several || name != first
	}
	if several {
		return finding{"labels", changed, ""}, true
	}
	return finding{first, changed, ""}, true
}

// labelNames are the attributes that only describe.
var labelNames = map[string]bool{
	"tags": true, "tags_all": true, "volume_tags": true, "default_tags": true,
	"labels": true, "effective_labels": true, "terraform_labels": true, "user_labels": true, "resource_labels": true,
	"description": true, "display_name": true, "comment": true, "comments": true, "friendly_name": true,
	"note": true, "notes": true,
}

// isLabel reports whether an attribute only describes. Google and DigitalOcean
// choose by tags which firewall guards a machine, so theirs do more than that.
func isLabel(resourceType, name string) bool {
	if !labelNames[name] {
		return false
	}
	return name != "tags" ||
		!strings.HasPrefix(resourceType, "google_") && !strings.HasPrefix(resourceType, "digitalocean_")
}

// blockMember is the member of a nested block that rest, such as
// "[0].description" or "[0].labels.app", leads to. Keys of maps are no members:
// a variable may be called anything.
func blockMember(rest string) string {
	end := strings.IndexByte(rest, ']')
	if !strings.HasPrefix(rest, "[") || end < 0 || strings.HasPrefix(rest, `["`) {
		return ""
	}
	member, ok := strings.CutPrefix(rest[end+1:], ".")
	if !ok {
		return ""
	}
	name, _ := splitPath(member)
	return name
}
