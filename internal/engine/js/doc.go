// Package js runs JavaScript mini-programs in QuickJS.
//
// The engine is modernc.org/libquickjs: QuickJS translated to Go, called here
// through its C interface. Its whole heap lies in an arena at a fixed address
// (arena.go), so that the framework that every program needs, the prelude, is
// evaluated once, written to a file, and mapped copy-on-write by each worker
// (image.go). Its objects are out of the collector's sight (immortal.go), and the
// program's lie in pages of their own (apart.go). Nothing is ever mapped
// executable.
//
// What differs from that image is a program, and can be written and laid over it
// again in another worker (delta.go, suspend.go, restore.go): after the entry's
// evaluation, if that depended on the package alone (purity.go), or between any
// two turns. Whatever must survive that lies in the arena; what Go keeps of a
// program is in the root page (saved), or given up (calls, requests, streams).
//
// What the guest can reach is what package prelude's sources put on the global
// object: console, timers, crypto.getRandomValues, performance and mp. There
// are no files, no network and no operating system: QuickJS's own std and os
// modules are not linked to anything the guest can name.
//
// Limits, and who holds them:
//   - memory: the arena counts whole pages against Program.Heap (pages.go);
//   - time: QuickJS polls the interrupt handler (watch.go), which ends the
//     program at a turn's deadline. Work inside one built-in function is not
//     polled: the process outside must be killed for it;
//   - recursion: QuickJS counts stack slots, and watch.go counts the bytes of
//     the frames; both give the guest an error that it can catch.
//
// Do not assume that two engines can live in one process: the arena's address
// is fixed, so New fails while another Engine is open. Do not call anything
// but Call, Event, SetHeap and Suspend from a goroutine other than Run's.
package js
