package dashboards

import "strings"

// own chooses the service among all that Prometheus knows, and the instances of
// the environment that was chosen: the service tells its environment in
// target_info, and nowhere else.
const own = `job="driftsentry", instance=~"$instance"`

// variable is what a reader may choose at the top of the page.
type variable struct {
	name, label, description string
	query                    string   // asks Prometheus for values
	values                   []string // or these
	single                   bool     // the first of values, rather than any number of them
	all                      string   // what All means; the values one by one if empty
}

var (
	environment = variable{
		name: "environment", label: "Environment", description: "Where the service says it runs.",
		query: `label_values(target_info{job="driftsentry"}, deployment_environment_name)`,
	}
	instance = variable{
		name: "instance", label: "Instance", description: "Processes of the environment.",
		query: `label_values(target_info{job="driftsentry", deployment_environment_name=~"$environment"}, instance)`,
	}
	route = variable{
		name: "route", label: "Route", description: "Routes of the API.", all: ".*",
		query: `label_values(http_requests_total{` + own + `}, path)`,
	}
)

func templating(variables []variable) []object {
	var list []object
	for _, v := range variables {
		o := object{"name": v.name, "label": v.label, "description": v.description, "hide": 0, "skipUrlSync": false}
		if v.query != "" {
			o["type"] = "query"
			o["datasource"] = reference(prometheus)
			o["definition"] = v.query
			o["query"] = object{"query": v.query, "refId": "Variable"}
			o["refresh"] = 2 // when the time range changes
			o["sort"] = 1
			o["regex"] = ""
			o["options"] = []object{}
		} else {
			o["type"] = "custom"
			o["query"], o["options"] = custom(v.values)
		}
		if v.single {
			o["multi"], o["includeAll"] = false, false
			o["current"] = object{"selected": true, "text": v.values[0], "value": v.values[0]}
		} else {
			o["multi"], o["includeAll"] = true, true
			o["current"] = object{"selected": true, "text": []string{"All"}, "value": []string{"$__all"}}
		}
		if v.all != "" {
			o["allValue"] = v.all
		}
		list = append(list, o)
	}
	return list
}

func custom(values []string) (string, []object) {
	options := []object{}
	for i, v := range values {
		options = append(options, object{"text": v, "value": v, "selected": i == 0})
	}
	return strings.Join(values, ","), options
}
