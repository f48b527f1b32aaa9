package dashboards

// answered leaves out what only machines ask all the time.
const answered = `$own, path=~"$route", path!~"/health/.*|/metrics"`

// answeredHTTP is the same in the words of the semantic conventions.
const answeredHTTP = `$own, http_route=~"$route", http_route!~"/health/.*|/metrics"`

// service is the page to start from.
func service() Dashboard {
	return Dashboard{
		UID: "driftsentry-service", Title: "DriftSentry / Service",
		Description: "What callers get: how much, how fast, and what goes wrong, by route. Dots on the graphs lead to traces.",
		variables: []variable{environment, instance, route, {
			name: "slower", label: "Log lines slower than (ms)", description: "For the request log at the end of the page.",
			values: []string{"0", "100", "250", "500", "1000", "2500"}, single: true,
		}},
		rows: []row{
			{"Now", []panel{
				number("Requests", "Requests answered a second, probes and scrapes left out.", "reqps",
					`sum(rate(http_requests_total{`+answered+`}[$__rate_interval]))`),
				number("Failed", "Share of requests answered with a 5xx. We promise less than 0.1 %.", "percentunit",
					ratio(`sum(rate(http_requests_total{`+answered+`, status=~"5.."}[$__rate_interval]))`,
						`sum(rate(http_requests_total{`+answered+`}[$__rate_interval]))`)).marks(step{0.001, odd}, step{0.01, bad}),
				number("95 % are faster than", "The time within which 95 of 100 requests are answered, uploads included.", "s",
					`histogram_quantile(0.95, sum by (le) (rate(http_server_request_duration_seconds_bucket{`+answeredHTTP+`}[$__rate_interval])))`).
					marks(step{0.5, odd}, step{1, bad}),
				number("Error budget burn", "How many times faster than allowed the error budget went in the last hour, all environments together. "+
					"From 14.4 on somebody is called.", "none",
					`max(driftsentry:http_requests:error_ratio_rate1h{job="driftsentry"}) / 0.001`).marks(step{1, odd}, step{6, worse}, step{14.4, bad}),
				number("Instances", "Processes that answer Prometheus.", "none", `sum(up{$own})`).
					leads("Runtime and telemetry", to("driftsentry-runtime")),
				number("Alerts firing", "All alerts of Prometheus that are firing; the red marks on the graphs tell which.", "none",
					`count(ALERTS{alertstate="firing"}) or vector(0)`).marks(step{1, bad}),
			}},
			{"Rate, errors and duration by route", []panel{
				lines("Requests by route", "Requests answered a second.", "reqps",
					q(`sum by (path) (rate(http_requests_total{`+answered+`}[$__rate_interval]))`, "{{path}}")),
				lines("Failed requests by route", "Share of the route's requests answered with a 5xx.", "percentunit",
					q(ratio(`sum by (path) (rate(http_requests_total{`+answered+`, status=~"5.."}[$__rate_interval]))`,
						`sum by (path) (rate(http_requests_total{`+answered+`}[$__rate_interval]))`), "{{path}}")).marks(step{0.001, odd}, step{0.01, bad}),
				lines("95th percentile by route", "The time within which 95 of 100 requests of the route are answered. A dot is one request: click it for its trace.", "s",
					x(`histogram_quantile(0.95, sum by (le, http_route) (rate(http_server_request_duration_seconds_bucket{`+answeredHTTP+`}[$__rate_interval])))`,
						"{{http_route}}")).marks(step{0.5, odd}, step{1, bad}).leads("Is it the database?", to("driftsentry-database")),
				table("Routes", "Each route over the whole time shown.", [][2]string{{"method", "Method"}, {"path", "Route"}}, "Requests",
					column{"Requests", "short", `sum by (method, path) (increase(http_requests_total{` + answered + `}[$__range]))`},
					column{"4xx", "percentunit", byRoute(`4..`)},
					column{"5xx", "percentunit", byRoute(`5..`)},
					column{"p50", "ms", routeQuantile("0.5")},
					column{"p95", "ms", routeQuantile("0.95")},
					column{"p99", "ms", routeQuantile("0.99")}),
			}},
			{"Latency", []panel{
				heatmap("Duration of requests (s)", "How many requests took how long: http_server_request_duration_seconds. A dot is one request: click it for its trace.",
					"s", `sum by (le) (increase(http_server_request_duration_seconds_bucket{`+answeredHTTP+`}[$__rate_interval]))`),
				heatmap("Duration of requests (ms)", "The same with coarser steps: http_request_duration_ms, which also counts requests to no route.",
					"ms", `sum by (le) (increase(http_request_duration_ms_bucket{`+answered+`}[$__rate_interval]))`),
				lines("Percentiles", "Over all routes chosen.", "s",
					x(quantileOfAll("0.5"), "p50"), x(quantileOfAll("0.95"), "p95"), x(quantileOfAll("0.99"), "p99")).wide(12).marks(step{0.5, odd}),
				lines("Slower than promised", "Share of requests that took longer than 500 ms, uploads left out, all environments together. We promise less than 1 %.",
					"percentunit",
					q(`driftsentry:http_requests:slow_ratio_rate5m{job="driftsentry"}`, "5 minutes"),
					q(`driftsentry:http_requests:slow_ratio_rate1h{job="driftsentry"}`, "1 hour")).wide(12).marks(step{0.01, odd}),
			}},
			{"Errors", []panel{
				lines("Errors by code", "Answers of 400 and above, and errors of background work, by the code in the error document.", "cps",
					q(orNone(`sum by (code) (rate(errors_total{$own, path=~"$route"}[$__rate_interval]))`, "code"), "{{code}}")).bars(),
				lines("Answers by class", "4xx is the caller's fault, 5xx ours.", "reqps",
					q(`sum by (class) (label_replace(rate(http_requests_total{`+answered+`}[$__rate_interval]), "class", "${1}xx", "status", "(.).."))`, "{{class}}")).stacked(),
				table("Errors by code and route", "Over the whole time shown. The log lines of each: Explore, Loki, {service_name=\"driftsentry\"} | code=\"…\".",
					[][2]string{{"code", "Code"}, {"path", "Route"}}, "Errors",
					column{"Errors", "short", orNone(`sum by (code, path) (increase(errors_total{$own, path=~"$route"}[$__range]))`, "code")}).wide(8).tall(8),
			}},
			{"Slow requests", []panel{
				lines("Slower than 1 s by route", "Requests that took longer than a second; the service logs each as \"Slow request detected\".", "short",
					q(`sum by (path) (increase(http_request_duration_ms_count{`+answered+`}[$__rate_interval])) `+
						`- sum by (path) (increase(http_request_duration_ms_bucket{`+answered+`, le=~"1000(\\.0)?"}[$__rate_interval]))`, "{{path}}")).bars(),
				table("Spans", "What requests are made of, over the whole time shown, from the collector's span metrics: counted before it samples.",
					[][2]string{{"span_name", "Span"}, {"span_kind", "Kind"}}, "Total time",
					column{"Spans", "short", `sum by (span_name, span_kind) (increase(traces_span_metrics_calls_total{` + spans + `}[$__range]))`},
					column{"p95", "ms", `histogram_quantile(0.95, sum by (le, span_name, span_kind) (rate(traces_span_metrics_duration_milliseconds_bucket{` + spans + `}[$__range])))`},
					column{"Total time", "ms", `sum by (span_name, span_kind) (increase(traces_span_metrics_duration_milliseconds_sum{` + spans + `}[$__range]))`}).wide(16).tall(8),
				requestLog(),
			}},
		},
	}
}

// spans are those of the service that answer or work, the SQL left to its page.
const spans = `service_name="driftsentry", deployment_environment_name=~"$environment", span_kind=~"SPAN_KIND_SERVER|SPAN_KIND_INTERNAL"`

func byRoute(status string) string {
	return ratio(`sum by (method, path) (increase(http_requests_total{`+answered+`, status=~"`+status+`"}[$__range]))`,
		`sum by (method, path) (increase(http_requests_total{`+answered+`}[$__range]))`)
}

func routeQuantile(quantile string) string {
	return `histogram_quantile(` + quantile + `, sum by (le, method, path) (rate(http_request_duration_ms_bucket{` + answered + `}[$__range])))`
}

func quantileOfAll(quantile string) string {
	return `histogram_quantile(` + quantile + `, sum by (le) (rate(http_server_request_duration_seconds_bucket{` + answeredHTTP + `}[$__rate_interval])))`
}

// requestLog is never empty while there are requests: the reader chooses from
// when on one is slow.
func requestLog() panel {
	return panel{
		kind: "logs", title: "Requests slower than $slower ms", width: 24, height: 10, unit: "none",
		description: "The request log. Open a line for its trace and for everything with its correlation id.",
		queries: []query{{expr: `{service_name="driftsentry", deployment_environment_name=~"$environment"} |= "Request completed" | duration >= $slower ` +
			`| line_format "{{.status}} {{.duration}} ms {{.method}} {{.path}} {{.correlationId}}"`}},
		options: object{
			"showTime": true, "sortOrder": "Descending", "enableLogDetails": true, "wrapLogMessage": false, "prettifyLogMessage": false,
			"dedupStrategy": "none", "showLabels": false, "showCommonLabels": false,
		},
	}
}
