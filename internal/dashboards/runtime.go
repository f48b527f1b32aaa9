package dashboards

// runtime is about the process, and about whether what the other pages show can
// be believed.
func runtime() Dashboard {
	return Dashboard{
		UID: "driftsentry-runtime", Title: "DriftSentry / Runtime and telemetry",
		Description: "The process and its limits, and whether traces, logs and metrics arrive.",
		variables:   []variable{environment, instance},
		rows: []row{
			{"Process", []panel{
				number("Up for", "Time since the youngest instance started.", "s", `min(time() - process_start_time_seconds{$own})`),
				number("Restarts", "Starts within the time shown.", "none", `sum(changes(process_start_time_seconds{$own}[$__range]))`).marks(step{1, odd}, step{3, bad}),
				number("Memory", "Resident memory of the largest instance.", "bytes", `max(process_resident_memory_bytes{$own})`),
				table("Versions", "What is running.", [][2]string{{"version", "Version"}, {"commit", "Commit"}, {"build_date", "Built"}, {"go_version", "Go"}}, "Instances",
					column{"Instances", "none", `count by (version, commit, build_date, go_version) (build_info{$own})`}).wide(12).tall(4),
				lines("CPU", "Seconds of CPU in a second, and how many processors the Go runtime may use.", "none",
					q(`rate(process_cpu_seconds_total{$own}[$__rate_interval])`, "{{instance}}"),
					q(`max(go_processor_limit{$own})`, "processors")).override("processors", object{
					"custom.lineStyle": object{"fill": "dash", "dash": []int{8, 8}}, "custom.fillOpacity": 0, "color": object{"mode": "fixed", "fixedColor": bad},
				}),
				lines("Memory of the system", "Resident memory. When it comes near the container's limit, the process is killed.", "bytes",
					q(`process_resident_memory_bytes{$own}`, "{{instance}}")),
				lines("Memory of the Go runtime", "By use, and the heap size at which the next garbage collection ends.", "bytes",
					q(`sum by (go_memory_type) (go_memory_used_bytes{$own})`, "{{go_memory_type}}"),
					q(`sum(go_memory_gc_goal_bytes{$own})`, "goal of the collector")),
				lines("Allocations", "Memory allocated a second. It is what makes the garbage collector work.", "Bps",
					q(`rate(go_memory_allocated_bytes_total{$own}[$__rate_interval])`, "{{instance}}")),
				lines("Goroutines", "A line that only rises is a leak.", "short", q(`go_goroutine_count{$own}`, "{{instance}}")),
				lines("Files", "Share of the file descriptors allowed that are open: files, connections.", "percentunit",
					q(`process_open_fds{$own} / process_max_fds{$own}`, "{{instance}}")).share().marks(step{0.7, odd}, step{0.9, bad}),
			}},
			{"Telemetry leaving the service (needs a collector)", []panel{
				lines("Exported", "Spans and log records handed to the collector a second.", "cps",
					q(`sum(rate(otel_sdk_exporter_span_exported_total{$own, error_type=""}[$__rate_interval]))`, "spans"),
					q(`sum(rate(otel_sdk_exporter_log_exported_total{$own, error_type=""}[$__rate_interval]))`, "log records")),
				lines("Lost", "Spans and log records lost a second: the queue was full, or the collector did not take them.", "cps",
					q(orNone(`sum by (signal) (driftsentry:telemetry_dropped:rate5m{$own})`, "signal"), "{{signal}}")).bars(),
				lines("Queues", "How full the queues to the collector are. Full queues drop.", "percentunit",
					q(`max(otel_sdk_processor_span_queue_size{$own} / otel_sdk_processor_span_queue_capacity{$own})`, "spans"),
					q(`max(otel_sdk_processor_log_queue_size{$own} / otel_sdk_processor_log_queue_capacity{$own})`, "log records")).share().marks(step{0.5, odd}, step{0.9, bad}),
				lines("Duration of an export", "Time to hand over one batch, 95 of 100.", "s",
					q(`histogram_quantile(0.95, sum by (le, otel_component_type) (rate(otel_sdk_exporter_operation_duration_seconds_bucket{$own, otel_component_type=~"otlp.*"}[$__rate_interval])))`,
						"{{otel_component_type}}")).marks(step{1, odd}),
				lines("Secrets taken out", "By the rule that found them and where they were going. Many by value rather than by name is a hint to look at the code.", "cps",
					q(orNone(`sum by (rule, sink) (rate(driftsentry_redactions_total{$own}[$__rate_interval]))`, "rule"), "{{rule}} {{sink}}")).bars(),
				lines("Scrapes", "Time for one scrape of the service, and how many series it brings.", "s",
					q(`scrape_duration_seconds{$own}`, "{{instance}}"),
					q(`scrape_samples_scraped{$own}`, "samples")).override("samples", object{"unit": "short"}).with("axisSoftMax", 1),
			}},
			{"Collector", []panel{
				lines("Taken in", "Spans and log records accepted a second.", "cps",
					q(`sum(rate(otelcol_receiver_accepted_spans_total{`+collector+`}[$__rate_interval]))`, "spans"),
					q(`sum(rate(otelcol_receiver_accepted_log_records_total{`+collector+`}[$__rate_interval]))`, "log records")),
				lines("Handed on", "Spans and log records sent a second, by exporter. Fewer spans than were taken in is what sampling is for.", "cps",
					q(`sum by (exporter) (rate(otelcol_exporter_sent_spans_total{`+collector+`}[$__rate_interval]))`, "{{exporter}} spans"),
					q(`sum by (exporter) (rate(otelcol_exporter_sent_log_records_total{`+collector+`}[$__rate_interval]))`, "{{exporter}} log records")),
				lines("Refused and failed", "Spans and log records a second that the collector did not take, or could not hand on.", "cps",
					q(orZero(`sum(rate(otelcol_receiver_refused_spans_total{`+collector+`}[$__rate_interval]))`), "refused spans"),
					q(orZero(`sum(rate(otelcol_receiver_refused_log_records_total{`+collector+`}[$__rate_interval]))`), "refused log records"),
					q(orZero(`sum(rate(otelcol_exporter_send_failed_spans_total{`+collector+`}[$__rate_interval]))`), "failed spans"),
					q(orZero(`sum(rate(otelcol_exporter_send_failed_log_records_total{`+collector+`}[$__rate_interval]))`), "failed log records")).bars(),
				lines("Queues", "How full the collector's queues are, by exporter.", "percentunit",
					q(`otelcol_exporter_queue_size{`+collector+`} / otelcol_exporter_queue_capacity{`+collector+`}`, "{{exporter}}")).share().marks(step{0.5, odd}, step{0.9, bad}),
				lines("Memory", "Resident memory of the collector. Its memory limiter refuses data before the container's limit.", "bytes",
					q(`otelcol_process_memory_rss_bytes{`+collector+`}`, "{{instance}}")),
				lines("CPU", "Seconds of CPU in a second.", "none", q(`rate(otelcol_process_cpu_seconds_total{`+collector+`}[$__rate_interval])`, "{{instance}}")),
			}},
			{"The stack", []panel{
				table("Targets", "What Prometheus scrapes; 1 answers.", [][2]string{{"job", "Job"}, {"instance", "Instance"}}, "Job", column{"Up", "none", `sum by (job, instance) (up)`}).wide(8).tall(8),
				lines("Series and exemplars", "What Prometheus holds in memory.", "short",
					q(`prometheus_tsdb_head_series`, "series"), q(`prometheus_tsdb_exemplar_exemplars_in_storage`, "exemplars")),
				lines("Rules that fail", "Evaluations of alerts and recordings that failed a second. An alert that can't be evaluated never fires.", "cps",
					q(`sum by (rule_group) (rate(prometheus_rule_evaluation_failures_total[$__rate_interval]))`, "{{rule_group}}")).bars().marks(step{0.001, bad}),
			}},
		},
	}
}

// collector is the first one: Jaeger shows the same series about itself.
const collector = `job="otel-collector"`

func orZero(expr string) string { return expr + " or vector(0)" }
