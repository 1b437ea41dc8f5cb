// Package metric serves the supervisor's figures to Prometheus, in its text
// format (https://prometheus.io/docs/instrumenting/exposition_formats/).
//
// Nothing is counted here. At each scrape a Source is asked for a Snapshot, and
// metrics are made of that: a program that is not in it any more is not in the
// answer either. Names begin with mp_ and end with their unit.
//
// Whoever can connect may read: where the listener is decides who that is.
// Connections, requests and their time are bounded, since on a loopback address
// every local user can connect.
//
// The text of a package (its app_id) becomes a label: it is made valid, printable
// and short here. Do not assume that it names one package only.
package metric
