// Package e2e holds nothing but the end-to-end test, behind the build tag e2e:
// the program as a process, beside a real collector, Jaeger and Prometheus with
// the configuration that `docker compose up` uses. It asks what a person would
// ask at night: where is the trace of this correlation id, its log lines, and
// does every panel and every alert work on what this service really says.
//
//	make e2e        or: bash .ci/run e2e
//
// It imports nothing of the product but the private database of the tests. It is
// in the product's module because that database is, and because it needs nothing
// that the module does not have; the components stay out of it, in .ci/components.
package e2e
