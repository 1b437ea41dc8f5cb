// Package monitor watches what programs use: samples go in, answers come out.
//
// A Monitor keeps the latest samples of each program in a ring and walks a
// table of rules over them. A rule is broken when its metric was above its
// threshold for nine tenths of its window: a short burst breaks none, and a
// pause of one sample mends none. What is to be done about it is an Answer,
// which carries its evidence; doing it is the caller's. A Quarantine counts the
// crashes of packages and says how long one may not be started.
//
// Both are pure: no clock, no input or output, no goroutine. The caller says
// what time it is, and holds a lock where several goroutines call.
//
// Do not assume that samples come evenly: an interval is measured, not taken
// for granted. A counter that went down, a clock that went back and a long gap
// begin the evidence anew. Time in which a program is frozen is no evidence.
package monitor
