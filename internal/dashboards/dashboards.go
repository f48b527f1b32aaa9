// Package dashboards is the Grafana dashboards of deploy/grafana as they are
// written: one line a query, with what every panel has in common said once. Its
// test writes the JSON (go test ./internal/dashboards -update) and fails when the
// JSON in the repository is not what this says.
//
// It knows no series by itself: internal/deploytest holds every name in a query
// against what the service shows.
package dashboards

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// The datasources that deploy/grafana/provisioning makes.
const (
	prometheus = "prometheus"
	loki       = "loki"
)

// schemaVersion is Grafana 12's, and the last of this kind of JSON.
const schemaVersion = 42

// tag is on every dashboard; the links between them go by it.
const tag = "driftsentry"

// Dashboard is one page.
type Dashboard struct {
	UID         string
	Title       string
	Description string
	variables   []variable
	rows        []row
}

// All returns every dashboard.
func All() []Dashboard { return []Dashboard{service(), database(), drifts(), runtime()} }

type row struct {
	title  string
	panels []panel
}

// JSON is the dashboard as Grafana loads it.
func (d Dashboard) JSON() ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false) // queries are full of < and >
	encoder.SetIndent("", " ")
	err := encoder.Encode(object{
		"uid":           d.UID,
		"title":         d.Title,
		"description":   d.Description,
		"tags":          []string{tag},
		"schemaVersion": schemaVersion,
		"editable":      false,
		"graphTooltip":  1, // one crosshair on all panels
		"timezone":      "browser",
		"refresh":       "30s",
		"time":          object{"from": "now-1h", "to": "now"},
		"timepicker":    object{},
		"templating":    object{"list": templating(d.variables)},
		"annotations":   object{"list": annotations()},
		"links": []object{{
			"type": "dashboards", "tags": []string{tag}, "title": "DriftSentry", "icon": "external link",
			"asDropdown": false, "includeVars": true, "keepTime": true, "targetBlank": false, "tooltip": "", "url": "",
		}},
		"panels": layout(d.rows),
	})
	if err != nil {
		return nil, fmt.Errorf("dashboard %s: %w", d.UID, err)
	}
	return b.Bytes(), nil
}

// object is JSON whose keys come out sorted.
type object = map[string]any

func reference(uid string) object { return object{"type": uid, "uid": uid} }

// columns is how many Grafana's grid has.
const columns = 24

// layout puts the panels side by side, rows under each other.
func layout(rows []row) []object {
	var all []object
	id, y := 0, 0
	place := func(o object, x, w, h int) {
		id++
		o["id"] = id
		o["gridPos"] = object{"x": x, "y": y, "w": w, "h": h}
		all = append(all, o)
	}
	for _, r := range rows {
		place(object{"type": "row", "title": r.title, "collapsed": false, "panels": []object{}}, 0, columns, 1)
		y++
		x, tallest := 0, 0
		for _, p := range r.panels {
			if x+p.width > columns {
				x, y, tallest = 0, y+tallest, 0
			}
			place(p.json(), x, p.width, p.height)
			x += p.width
			tallest = max(tallest, p.height)
		}
		y += tallest
	}
	return all
}

// annotations mark what happened to the graphs from outside.
func annotations() []object {
	// A build is marked where it was first seen. useValueForTime takes the value as
	// the moment, so that the mark is there at any zoom; what was already running is
	// marked left of the graph.
	deploys := `min by (version, commit) (min_over_time(timestamp(build_info{` + own + `})[$__range:$__interval])) * 1000`
	return []object{
		{
			"builtIn": 1, "datasource": object{"type": "grafana", "uid": "-- Grafana --"}, "enable": true, "hide": true,
			"iconColor": "rgba(0, 211, 255, 1)", "name": "Annotations & Alerts", "type": "dashboard",
		},
		{
			"name": "Deployments", "enable": true, "iconColor": "blue", "datasource": reference(prometheus),
			"target":      object{"refId": "Anno", "expr": deploys},
			"titleFormat": "Version {{version}}", "textFormat": "commit {{commit}}", "tagKeys": "version,commit", "useValueForTime": true,
		},
		{
			"name": "Alerts", "enable": true, "iconColor": "red", "datasource": reference(prometheus),
			"target":      object{"refId": "Anno", "expr": `ALERTS{alertstate="firing"}`},
			"titleFormat": "{{alertname}}", "textFormat": "{{severity}} {{instance}} {{stack}}", "tagKeys": "alertname,severity",
		},
	}
}
