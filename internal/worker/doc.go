// Package worker puts the worker process together: it opens what the process
// inherited, makes the engine, shakes hands with the supervisor, seals itself,
// and then serves one mini-program until that ends.
//
// The order is the design. Everything that needs the kernel's help happens
// before Enter; the first byte of a stranger's program is read after it:
//
//	fd 6 → engine (the heap image is mapped; or what process 1 keeps of its filter is read)
//	fd 4 → Birth
//	fd 3 → handshake
//	       Enter: every lock is on, and proven
//	fd 3 → Sealed, then Boot with the package, then Calls
//
// In the role native this process is process 1 of its namespaces, and the
// program its child:
//
//	       Boot: the program is executed, under every lock
//	fd 6 → Narrow: this process can execute, fork and open nothing any more
//	fd 3 → Booted, then Calls and Signals
//
// In the role wasm a module's machine code is loaded between two seals, and the
// supervisor has the process looked at after each:
//
//	fd 6 → what Finish puts on
//	       Enter: every lock but MDWE
//	fd 3 → Sealed, then Boot with the package and the code
//	       Finish: no memory becomes executable any more
//	fd 3 → Booted, then Begin: the module's first instruction, then Calls
//
// In the role wasm-compile the Boot brings a pipe for the code that is made, and
// nothing is run.
//
// JavaScript runs on the main goroutine alone. What reads the channel, and
// what sends console lines, runs beside it: Go preempts guest code for them.
//
// Do not assume that this process tells the truth once it has booted: a guest
// that breaks the engine has everything in it. It holds nothing but its own
// channel's keys.
package worker
