package dashboards

// Every instance reads the same numbers from the database: they are taken once,
// not added up.
const (
	open    = `max by (severity, status, origin) (driftsentry_drifts_open{$own, origin=~"$origin"})`
	waiting = `max by (severity, status, origin) (driftsentry_drifts_open{$own, origin=~"$origin", status!="rejected"})`
	oldest  = `max by (severity) (driftsentry_oldest_open_drift_age_seconds{$own})`
	stale   = `time() - max by (stack) (driftsentry_stack_last_success_timestamp_seconds{$own})`

	day = 24 * 3600
)

// drifts is the page for those who answer for the infrastructure.
func drifts() Dashboard {
	return Dashboard{
		UID: "driftsentry-drifts", Title: "DriftSentry / Drifts",
		Description: "What has drifted, how long it has been waiting, how fast people answer, and what nobody looks at.",
		variables: []variable{environment, instance, {
			name: "origin", label: "Origin", description: "outside: reality was changed. pending: code is not applied yet.",
			values: []string{"outside", "pending"}, all: ".*",
		}},
		rows: []row{
			{"Now", []panel{
				number("Critical", "Open critical drifts that wait for somebody: neither rejected nor resolved.", "none", ofSeverity("critical")).marks(step{1, bad}),
				number("Warning", "Open drifts of severity warning that wait for somebody.", "none", ofSeverity("warning")).marks(step{1, odd}),
				number("Info", "Open drifts of severity info that wait for somebody.", "none", ofSeverity("info")),
				number("Left on purpose", "Rejected: somebody decided to leave them, with a reason.", "none",
					`sum(max by (severity, status, origin) (driftsentry_drifts_open{$own, origin=~"$origin", status="rejected"}))`),
				number("Oldest critical", "Age of the oldest critical drift that waits for somebody; 0 if there is none.", "s",
					`max(driftsentry_oldest_open_drift_age_seconds{$own, severity="critical"})`).marks(step{day, odd}, step{3 * day, bad}),
				number("Stacks not scanned for a day", "Stacks without a complete scan for 26 hours. That they show no drift means nothing.", "none",
					`sum(`+stale+` > bool 26 * 3600)`).marks(step{1, odd}),
			}},
			{"Open drifts", []panel{
				lines("By severity", "Open drifts that wait for somebody.", "short", q(`sum by (severity) (`+waiting+`)`, "{{severity}}")).stacked(),
				lines("By status", "All open drifts, those left on purpose too.", "short", q(`sum by (status) (`+open+`)`, "{{status}}")).stacked(),
				lines("By origin", "outside: reality was changed behind the code's back. pending: the code asks for something not applied yet.", "short",
					q(`sum by (origin) (`+waiting+`)`, "{{origin}}")).stacked(),
			}},
			{"Ageing", []panel{
				lines("Oldest open drift", "Age of the oldest drift that waits for somebody. After a day a critical one raises an alert.", "s",
					q(oldest, "{{severity}}")).marks(step{day, odd}, step{3 * day, bad}),
				lines("Time to acknowledge", "From detection to the first decision, over the last 24 hours: half of the drifts, and 95 of 100. A dot is one decision: click it for its trace.", "s",
					x(peopleQuantile("0.5", "driftsentry_drift_acknowledge_seconds_bucket"), "p50 {{severity}}"),
					x(peopleQuantile("0.95", "driftsentry_drift_acknowledge_seconds_bucket"), "p95 {{severity}}")).silent("nothing decided in these 24 hours"),
				lines("Time to resolve", "From detection to resolution, over the last 24 hours: half of the drifts, and 95 of 100. A dot is one drift: click it for its trace.", "s",
					x(peopleQuantile("0.5", "driftsentry_drift_resolve_seconds_bucket"), "p50 {{severity}}"),
					x(peopleQuantile("0.95", "driftsentry_drift_resolve_seconds_bucket"), "p95 {{severity}}")).silent("nothing resolved in these 24 hours"),
				lines("Decided and resolved", "Drifts a day on which somebody decided, and which ended.", "short",
					q(perDay(`driftsentry_drift_acknowledge_seconds_count`), "decided"),
					q(perDay(`driftsentry_drift_resolve_seconds_count`), "resolved")).wide(12).tall(7),
				lines("Answered within a day", "Share of drifts decided on within 24 hours of detection, over 7 days.", "percentunit",
					q(`sum by (severity) (`+grown(`driftsentry_drift_acknowledge_seconds_bucket{$own, le=~"86400(\\.0)?"}`, "7d")+
						`) / sum by (severity) (`+grown(`driftsentry_drift_acknowledge_seconds_count{$own}`, "7d")+`)`, "{{severity}}")).share().wide(12).tall(7).silent("nothing decided in 7 days"),
			}},
			{"Freshness", []panel{
				table("Stacks by freshness", "Time since the last complete scan. Never scanned completely shows as decades. Stacks beyond the first 1,000 share the row _other.",
					[][2]string{{"stack", "Stack"}}, "Last complete scan", column{"Last complete scan", "s", stale}).wide(8),
				lines("Stalest stacks", "Time since the last complete scan of the ten that need one most. After 26 hours a stack raises an alert.", "s",
					q(`topk(10, `+stale+`)`, "{{stack}}")).wide(16).tall(9).marks(step{26 * 3600, odd}),
				lines("Scans", "Scans taken, by what they say about themselves: only complete ones resolve drifts.", "short",
					q(`sum by (status) (increase(driftsentry_scans_total{$own}[$__rate_interval]))`, "{{status}}")).bars(),
				lines("Scans by format", "Scans taken in an hour.", "short",
					q(`sum by (format) (increase(driftsentry_scans_total{$own}[1h]))`, "{{format}}")).stacked(),
				lines("Duration of a scan", "Time to parse a plan and to store it, 95 of 100. A dot is one scan: click it for its trace.", "s",
					x(`histogram_quantile(0.95, sum by (le, phase) (rate(driftsentry_scan_duration_seconds_bucket{$own}[1h])))`, "{{phase}}")).
					marks(step{30, odd}).leads("Who uploads, and how it went", to("driftsentry-service")),
			}},
		},
	}
}

func ofSeverity(severity string) string {
	return `sum(max by (status, origin) (driftsentry_drifts_open{$own, origin=~"$origin", status!="rejected", severity="` + severity + `"}))`
}

// peopleQuantile looks back a day: people decide a few times in one.
func peopleQuantile(quantile, buckets string) string {
	return `histogram_quantile(` + quantile + `, sum by (le, severity) (` + grown(buckets+`{$own}`, "1d") + `))`
}

func perDay(count string) string { return `sum(` + grown(count+`{$own}`, "1d") + `) or vector(0)` }

// grown is increase for counters of rare events. A series appears with its first
// event, and increase does not count what it appears with: where a handful a day
// is all there is, that is too much to miss.
func grown(series, window string) string {
	return `(` + series + ` unless ` + series + ` offset ` + window + `) or increase(` + series + `[` + window + `])`
}
