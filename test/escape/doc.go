// Package escape tries to get out of a worker.
//
// The program in probe takes the worker's place, is started with a worker's
// descriptors, user, namespaces and root, and makes attackers that seal
// themselves as a worker does and then try one attack each. The tests say what
// must come of it. What they expect of a system call is computed from the
// role's table; for all else there is a table here, of three runs a lock:
//
//	sealed  every lock is there: the attack fails, mostly at the filter
//	held    whatever would stop it before is aside: this lock stops it
//	open    this lock is aside too: the attack gets further
//
// The third run is the control, without which the second proves nothing.
package escape
