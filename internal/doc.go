// Package internal is the map of the house. A package imports only from lines
// below its own here; deps_test.go holds the table as a test.
//
//	cmd/driftsentry   process facts, and the whole house wired on one screen: serve.go
//	telemetry         logs, traces, metrics, error tracking: wrapped round the outside
//	config            environment -> checked struct
//	httpapi           the route table, handlers, problem documents, probes
//	ingest            one upload from its first byte to its receipt
//	accounts          who may call: logins, keys and users, each with its entry in the trail
//	review            what becomes of a drift: decisions, and the dates that end them
//	jobs              what is due every so often, through River, once for all replicas
//	terraform         plan JSON -> masked drift.Snapshot, streaming
//	postgres          every SQL statement, migrations; pgtest: a fresh database per test
//	devpg             a private local PostgreSQL for the demo and the tests
//	redact            what is secret
//	client, report    the command scan: a plan to a server, its answer to people and machines
//	pipeline, terraformcli
//	                  what the CI system knows; running terraform or tofu
//	drift             THE DOMAIN: changes, severity, life of a drift, Reconcile
//	audit, auth       event names; roles, passwords, tokens and keys
//	fault, secret, correlation, clientip, jsontree, spool
//	                  kinds of failure; a string that prints as ***; ids in a context;
//	                  the client's address behind proxies; JSON as it was written;
//	                  more records than memory holds
//	dashboards        Grafana's pages as they are written; deploytest: whether dashboards,
//	                  rules and runbooks speak of series that exist; e2e: the whole stack,
//	                  asked what a person would ask
//	tftest, otlptest, plantest, transcript
//	                  for tests: a Terraform, a collector, plans of any size, what a
//	                  program says while it talks
//
// Pure core, plain shell: drift, redact and terraform turn values into values;
// sockets, clocks and SQL live in ingest, postgres and httpapi; telemetry is
// wrapped round the seams in serve.go, so that the rest only passes ctx on.
//
// To read one upload from end to end, in under five minutes:
//
//	httpapi/routes.go -> httpapi/scans.go -> ingest/ingest.go -> drift/reconcile.go -> postgres/drifts.go
//
// Secrets die in the parser: no type behind terraform can carry a raw one.
// Writes are methods on *postgres.Tx and reads on *postgres.DB, so drifts and
// their events commit together or not at all.
package internal
