package dashboards

const (
	queried = `$own, operation=~"$operation", table=~"$table"`

	// statements are the named queries, as the collector counts their spans.
	statements = `service_name="driftsentry", deployment_environment_name=~"$environment", span_kind="SPAN_KIND_CLIENT"`
)

// database is for the question whether it is the database.
func database() Dashboard {
	return Dashboard{
		UID: "driftsentry-database", Title: "DriftSentry / Database",
		Description: "What the service asks of PostgreSQL, how long it waits for it, and whether the pool is large enough.",
		variables: []variable{
			environment, instance,
			{
				name: "operation", label: "Operation", description: "Main verb of the statement.", all: ".*",
				query: `label_values(database_query_duration_ms_count{` + own + `}, operation)`,
			},
			{
				name: "table", label: "Table", description: "Table that the statement is about.", all: ".*",
				query: `label_values(database_query_duration_ms_count{` + own + `}, table)`,
			},
		},
		rows: []row{
			{"Now", []panel{
				number("Queries", "Queries, batches and copies a second.", "ops",
					`sum(rate(database_query_duration_ms_count{`+queried+`}[$__rate_interval]))`),
				number("95 % are faster than", "The time within which 95 of 100 queries are done.", "ms",
					`histogram_quantile(0.95, sum by (le) (rate(database_query_duration_ms_bucket{`+queried+`}[$__rate_interval])))`).
					marks(step{100, odd}, step{250, bad}),
				number("Slower than 250 ms", "Share of queries that took longer than 250 ms.", "percentunit",
					`1 - sum(rate(database_query_duration_ms_bucket{`+queried+`, le=~"250(\\.0)?"}[$__rate_interval]))`+
						` / sum(rate(database_query_duration_ms_count{`+queried+`}[$__rate_interval]))`).marks(step{0.01, odd}, step{0.05, bad}),
				number("Failed", "Operations of the database client that failed a second, new connections included.", "cps",
					`sum(rate(db_client_operation_errors_total{$own}[$__rate_interval])) or vector(0)`).marks(step{0.001, odd}, step{0.1, bad}),
				number("Pool in use", "Share of the connections allowed that are at work, in the fullest instance.", "percentunit",
					`max(`+poolUse+`)`).marks(step{0.8, odd}, step{0.95, bad}),
				number("Waits", "Times a second that somebody had to wait for a connection.", "cps",
					`sum(rate(database_connection_waits_total{$own}[$__rate_interval]))`).marks(step{0.1, odd}, step{1, bad}),
			}},
			{"Queries by operation and table", []panel{
				lines("Queries by operation", "How many a second.", "ops",
					q(`sum by (operation) (rate(database_query_duration_ms_count{`+queried+`}[$__rate_interval]))`, "{{operation}}")),
				lines("95th percentile by operation", "A dot is one query: click it for the trace of its request.", "ms",
					x(quantileOfQueries("operation"), "{{operation}}")).marks(step{100, odd}, step{250, bad}),
				heatmap("Duration of queries", "How many took how long. A dot is one query: click it for the trace of its request.", "ms",
					`sum by (le) (increase(database_query_duration_ms_bucket{`+queried+`}[$__rate_interval]))`).wide(8).tall(8),
				lines("Queries by table", "How many a second.", "ops",
					q(`sum by (table) (rate(database_query_duration_ms_count{`+queried+`}[$__rate_interval]))`, "{{table}}")),
				lines("95th percentile by table", "A dot is one query: click it for the trace of its request.", "ms",
					x(quantileOfQueries("table"), "{{table}}")).marks(step{100, odd}, step{250, bad}),
				lines("Connections kept busy, by table", "Seconds of query time in a second: 1 is one connection always at work. Where this is largest, tuning pays.", "none",
					q(`sum by (table) (rate(database_query_duration_ms_sum{`+queried+`}[$__rate_interval])) / 1000`, "{{table}}")).stacked(),
				table("Operations and tables", "Over the whole time shown.", [][2]string{{"operation", "Operation"}, {"table", "Table"}}, "Total time",
					column{"Queries", "short", `sum by (operation, table) (increase(database_query_duration_ms_count{` + queried + `}[$__range]))`},
					column{"p50", "ms", rangeQuantile("0.5")},
					column{"p95", "ms", rangeQuantile("0.95")},
					column{"p99", "ms", rangeQuantile("0.99")},
					column{"Total time", "ms", `sum by (operation, table) (increase(database_query_duration_ms_sum{` + queried + `}[$__range]))`}).wide(12),
				table("Statements", "By the name in the statement's comment, over the whole time shown; from the collector's span metrics, so only those within a trace.",
					[][2]string{{"span_name", "Statement"}}, "Total time",
					column{"Queries", "short", `sum by (span_name) (increase(traces_span_metrics_calls_total{` + statements + `}[$__range]))`},
					column{"p95", "ms", `histogram_quantile(0.95, sum by (le, span_name) (rate(traces_span_metrics_duration_milliseconds_bucket{` + statements + `}[$__range])))`},
					column{"Total time", "ms", `sum by (span_name) (increase(traces_span_metrics_duration_milliseconds_sum{` + statements + `}[$__range]))`}).wide(12),
			}},
			{"Connection pool", []panel{
				lines("Connections", "At work and idle, of all instances; the dashed line is all that are allowed.", "none",
					q(`sum by (state) (database_connections{$own, state=~"idle|used"})`, "{{state}}"),
					q(`sum(database_connections{$own, state="max"})`, "allowed")).stacked().
					override("allowed", object{
						"custom.lineStyle": object{"fill": "dash", "dash": []int{8, 8}}, "custom.fillOpacity": 0,
						"custom.stacking": object{"mode": "none"}, "color": object{"mode": "fixed", "fixedColor": bad},
					}),
				lines("Pool in use", "Share of the connections allowed that are at work. Full is where requests begin to wait.", "percentunit",
					q(poolUse, "{{instance}}")).share().marks(step{0.8, odd}, step{0.95, bad}),
				lines("Waiting for a connection", "Times a second that a connection was asked for, had to be waited for, and was given up waiting for.", "cps",
					q(`sum(rate(database_connection_acquires_total{$own}[$__rate_interval]))`, "asked for"),
					q(`sum(rate(database_connection_waits_total{$own}[$__rate_interval]))`, "waited for"),
					q(`sum(rate(database_connection_waits_canceled_total{$own}[$__rate_interval]))`, "given up")),
				lines("Time spent waiting", "Seconds waited in a second, by all requests together.", "s",
					q(`sum by (instance) (rate(database_connection_wait_seconds_total{$own}[$__rate_interval]))`, "{{instance}}")).marks(step{0.5, odd}),
				lines("Driver, 95th percentile", "By what the driver does: connect opens a connection, prepare plans a statement.", "s",
					q(`histogram_quantile(0.95, sum by (le, pgx_operation_type) (rate(db_client_operation_duration_seconds_bucket{$own}[$__rate_interval])))`,
						"{{pgx_operation_type}}")).silent("nothing done"),
				lines("Driver, failures", "Failed operations a second, by what the driver was doing.", "cps",
					q(orNone(`sum by (pgx_operation_type) (rate(db_client_operation_errors_total{$own}[$__rate_interval]))`, "pgx_operation_type"),
						"{{pgx_operation_type}}")).bars(),
			}},
		},
	}
}

const poolUse = `sum by (instance) (database_connections{$own, state="used"}) / sum by (instance) (database_connections{$own, state="max"})`

func quantileOfQueries(by string) string {
	return `histogram_quantile(0.95, sum by (le, ` + by + `) (rate(database_query_duration_ms_bucket{` + queried + `}[$__rate_interval])))`
}

func rangeQuantile(quantile string) string {
	return `histogram_quantile(` + quantile + `, sum by (le, operation, table) (rate(database_query_duration_ms_bucket{` + queried + `}[$__range])))`
}
