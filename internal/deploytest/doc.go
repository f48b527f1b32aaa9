// Package deploytest holds the tests of deploy/'s monitoring: whether dashboards,
// rules and runbooks speak of series that the service really shows, and belong
// together. It needs no Prometheus, so it runs with every other test; whether the
// queries answer is for the end-to-end test, whether alerts fire for promtool.
package deploytest
