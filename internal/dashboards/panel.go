package dashboards

import "strings"

// panel is one graph, number or table.
type panel struct {
	kind, title, description, unit string
	width, height                  int
	queries                        []query
	steps                          []step
	options                        object
	custom                         object
	min, max                       *float64
	noValue                        string
	overrides                      []object
	transformations                []object
	links                          []object
}

// query is one question. $own in it stands for own.
type query struct {
	expr, legend string
	table        bool // one row a series, as of now
	heat         bool
	exemplars    bool
}

func q(expr, legend string) query { return query{expr: expr, legend: legend} }

// x is q with exemplars: dots on the graph that lead to a trace.
func x(expr, legend string) query { return query{expr: expr, legend: legend, exemplars: true} }

// step is a threshold: from this value on it is this colour.
type step struct {
	from  float64
	color string
}

const (
	good  = "green"
	odd   = "yellow"
	worse = "orange"
	bad   = "red"
)

// lines is a graph over time.
func lines(title, description, unit string, queries ...query) panel {
	return panel{
		kind: "timeseries", title: title, description: description, unit: unit, width: 8, height: 8, queries: queries,
		custom: object{"drawStyle": "line", "lineWidth": 1, "fillOpacity": 10, "showPoints": "never", "spanNulls": false},
		options: object{
			"legend":  object{"displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": []string{}},
			"tooltip": object{"mode": "multi", "sort": "desc"},
		},
		min: new(float64),
	}
}

// number is one figure, with its recent past behind it.
func number(title, description, unit, expr string) panel {
	return panel{
		kind: "stat", title: title, description: description, unit: unit, width: 4, height: 4, queries: []query{q(expr, "")},
		options: object{
			"colorMode": "value", "graphMode": "area", "justifyMode": "auto", "orientation": "auto", "textMode": "auto",
			"wideLayout": true, "showPercentChange": false,
			"reduceOptions": object{"calcs": []string{"lastNotNull"}, "fields": "", "values": false},
		},
	}
}

// heatmap shows how a histogram moves. The query sums increases by le.
func heatmap(title, description, unit, expr string) panel {
	return panel{
		kind: "heatmap", title: title, description: description, unit: unit, width: 12, height: 9,
		queries: []query{{expr: expr, legend: "{{le}}", heat: true, exemplars: true}},
		custom:  object{"scaleDistribution": object{"type": "linear"}},
		options: object{
			"calculate": false, "cellGap": 1,
			"color": object{
				"mode": "scheme", "scheme": "Oranges", "fill": "dark-orange", "steps": 64,
				"exponent": 0.5, "scale": "exponential", "reverse": false,
			},
			"exemplars":    object{"color": "rgba(31, 120, 193, 0.9)"},
			"filterValues": object{"le": 1e-9},
			"legend":       object{"show": true},
			"rowsFrame":    object{"layout": "auto"},
			"tooltip":      object{"mode": "single", "yHistogram": true, "showColorScale": true},
			"yAxis":        object{"axisPlacement": "left", "reverse": false, "unit": unit},
		},
	}
}

// column is one query of a table: a value per row.
type column struct{ title, unit, expr string }

// table has one row for each combination of keys (label, shown as), sorted by
// the column that is named by, the greatest first.
func table(title, description string, keys [][2]string, by string, values ...column) panel {
	p := panel{
		kind: "table", title: title, description: description, unit: "short", width: 24, height: 9,
		options: object{"showHeader": true, "cellHeight": "sm", "sortBy": []object{{"displayName": by, "desc": true}}},
		custom:  object{"align": "auto", "filterable": true, "cellOptions": object{"type": "auto"}},
	}
	exclude, rename, order := object{"Time": true}, object{}, object{}
	for i, key := range keys {
		rename[key[0]] = key[1]
		order[key[0]] = i
	}
	for i, value := range values {
		name := "Value #" + refID(i)
		if len(values) == 1 {
			name = "Value"
		}
		rename[name] = value.title
		order[name] = len(keys) + i
		p.queries = append(p.queries, query{expr: value.expr, table: true})
		p.overrides = append(p.overrides, override(value.title, object{"unit": value.unit}))
	}
	p.transformations = []object{
		{"id": "merge", "options": object{}},
		{"id": "organize", "options": object{"excludeByName": exclude, "renameByName": rename, "indexByName": order}},
	}
	return p
}

// override sets properties of one field.
func override(field string, properties object) object {
	list := []object{}
	for _, id := range []string{"unit", "custom.lineStyle", "custom.fillOpacity", "custom.stacking", "color", "links"} {
		if value, ok := properties[id]; ok {
			list = append(list, object{"id": id, "value": value})
		}
	}
	return object{"matcher": object{"id": "byName", "options": field}, "properties": list}
}

func (p panel) wide(width int) panel  { p.width = width; return p }
func (p panel) tall(height int) panel { p.height = height; return p }

// marks sets thresholds: green below the first. Graphs draw them as lines.
func (p panel) marks(steps ...step) panel {
	p.steps = steps
	if p.kind == "timeseries" {
		p = p.with("thresholdsStyle", object{"mode": "dashed"})
	}
	return p
}

// with sets one property of how the values are drawn.
func (p panel) with(name string, value any) panel {
	custom := object{name: value}
	for k, v := range p.custom {
		if k != name {
			custom[k] = v
		}
	}
	p.custom = custom
	return p
}

func (p panel) stacked() panel {
	return p.with("stacking", object{"mode": "normal", "group": "A"}).with("fillOpacity", 40)
}

func (p panel) bars() panel { return p.stacked().with("drawStyle", "bars").with("fillOpacity", 80) }

// share is for what can't be more than 1.
func (p panel) share() panel { p.max = new(float64); *p.max = 1; return p }

// silent says what to show when nothing was measured yet.
func (p panel) silent(text string) panel { p.noValue = text; return p }

func (p panel) override(field string, properties object) panel {
	p.overrides = append(p.overrides, override(field, properties))
	return p
}

// leads links the panel to another place; variables and time go along.
func (p panel) leads(title, url string) panel {
	p.links = append(p.links, object{"title": title, "url": url, "targetBlank": false})
	return p
}

// to is the address of another dashboard with the same time and environment.
func to(uid string) string { return "/d/" + uid + "?${__url_time_range}&${environment:queryparam}" }

// ratio divides, and is 0 rather than absent where nothing matches the part.
func ratio(part, whole string) string { return "(" + part + " or " + whole + " * 0) / " + whole }

// orNone is expr, or a zero that is called none where there is no such series yet.
func orNone(expr, label string) string {
	return expr + ` or label_replace(absent(` + expr + `) * 0, "` + label + `", "none", "", "")`
}

func refID(i int) string { return string(rune('A' + i)) }

func expand(expr string) string { return strings.ReplaceAll(expr, "$own", own) }
