package dashboards

// json is the panel without its place.
func (p panel) json() object {
	source := prometheus
	if p.kind == "logs" {
		source = loki
	}
	defaults := object{"unit": p.unit, "custom": p.custom, "mappings": []object{}}
	if p.custom == nil {
		delete(defaults, "custom")
	}
	for name, limit := range map[string]*float64{"min": p.min, "max": p.max} {
		if limit != nil {
			defaults[name] = *limit
		}
	}
	if p.noValue != "" {
		defaults["noValue"] = p.noValue
	}
	defaults["thresholds"], defaults["color"] = p.thresholds(), p.color()
	overrides := p.overrides
	if overrides == nil {
		overrides = []object{}
	}
	o := object{
		"type": p.kind, "title": p.title, "description": p.description, "datasource": reference(source),
		"targets": p.targets(source), "options": p.options,
		"fieldConfig": object{"defaults": defaults, "overrides": overrides},
	}
	if p.transformations != nil {
		o["transformations"] = p.transformations
	}
	if p.links != nil {
		o["links"] = p.links
	}
	return o
}

func (p panel) targets(source string) []object {
	var all []object
	for i, query := range p.queries {
		o := object{
			"refId": refID(i), "datasource": reference(source), "editorMode": "code", "expr": expand(query.expr),
		}
		if source == loki {
			o["queryType"] = "range"
			all = append(all, o)
			continue
		}
		o["range"], o["instant"] = !query.table, query.table
		switch {
		case query.table:
			o["format"] = "table"
		case query.heat:
			o["format"] = "heatmap"
		default:
			o["format"] = "time_series"
		}
		if query.legend != "" {
			o["legendFormat"] = query.legend
		}
		if query.exemplars {
			o["exemplar"] = true
		}
		all = append(all, o)
	}
	return all
}

func (p panel) thresholds() object {
	steps := []object{{"color": good, "value": nil}}
	for _, s := range p.steps {
		steps = append(steps, object{"color": s.color, "value": s.from})
	}
	return object{"mode": "absolute", "steps": steps}
}

// color is by threshold where there is one figure, and by name where there are
// many lines, so that a route keeps its colour from panel to panel.
func (p panel) color() object {
	switch p.kind {
	case "timeseries":
		return object{"mode": "palette-classic-by-name"}
	default:
		return object{"mode": "thresholds"}
	}
}
