// Package native runs a program of the machine's own instructions: it executes
// it as a child process, turns what it prints into console lines, and speaks
// JSON-RPC with it.
//
// The package is made for process 1 of a PID namespace that holds nothing but
// the program: it reaps every process that is left to it, and does not end
// processes that the program leaves behind, because the kernel does when
// process 1 exits. Anywhere else it waits for its own child alone.
//
// Do not take this process for a wall between the program and the host: both
// run as the same user under the same locks. It holds nothing but the channel
// to the supervisor, and what the program sends is parsed here as if the
// supervisor itself did not parse it again.
//
// Whoever calls makes the locks: the program inherits those of this process at
// the time of Load.
package native
