package main

import (
	"crypto/rand"
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// early is what a worker does before it is sealed; members that are not set
// leave that step honest.
type early struct {
	dead     func()            // at once
	instead  func(f *os.File)  // of the handshake
	birth    func(*wire.Birth) // to what it was told
	unsealed bool              // says Sealed, and is not
}

var earlyTricks = map[string]early{
	"crash": {dead: func() { panic("an early crash") }},
	"exit":  {dead: func() { os.Exit(0) }},
	"wrong-secret": {birth: func(b *wire.Birth) {
		b.Secret[0]++
	}},
	"handshake-of-garbage": {instead: func(f *os.File) {
		f.Write(framed(garbage(60)))
		stay()
	}},
	"handshake-of-4-GiB": {instead: func(f *os.File) {
		f.Write([]byte{0xff, 0xff, 0xff, 0xff})
		stay()
	}},
	"no-seal": {unsealed: true},
}

// tricks are what a sealed worker does in the place of an answer to call number.
var tricks = map[string]func(c *channel, number uint64){
	"garbage":    func(c *channel, _ uint64) { c.raw(garbage(64 << 10)) },
	"half frame": func(c *channel, _ uint64) { c.raw(framed(garbage(1000))[:500]) },
	"half frame, then exit": func(c *channel, _ uint64) {
		c.raw(framed(garbage(1000))[:500])
		unix.Exit(9)
	},
	"length of 4 GiB": func(c *channel, _ uint64) { c.raw([]byte{0xff, 0xff, 0xff, 0xff}) },
	"forged frame":    func(c *channel, _ uint64) { c.raw(framed(garbage(100))) },
	"replayed frame": func(c *channel, _ uint64) {
		c.notify(wire.MethodLog, line())
		c.raw(c.last)
	},
	"ten thousand calls": func(c *channel, _ uint64) {
		for range 10_000 {
			c.say(frameCall, []byte{byte(wire.MethodCall)})
		}
	},
	"endless messages": func(c *channel, _ uint64) {
		for {
			c.notify(wire.MethodLog, line())
		}
	},
	"message of 4 GiB": func(c *channel, number uint64) {
		c.sendSized(frameReply, number, 1<<32-1, garbage(60_000))
	},
	"reply of garbage":      func(c *channel, number uint64) { c.send(frameReply, number, garbage(1000)) },
	"reply that is no JSON": func(c *channel, number uint64) { c.send(frameReply, number, answer("{")) },
	"two replies": func(c *channel, number uint64) {
		c.send(frameReply, number, answer("1"))
		c.send(frameReply, number, answer("2"))
	},
	"Sealed again":    func(c *channel, _ uint64) { c.notify(wire.MethodSealed, sealed()) },
	"unknown message": func(c *channel, _ uint64) { c.say(frameNotification, []byte{99, 0xa0}) },
	"close, then stay": func(c *channel, _ uint64) {
		c.send(frameClose, 0, nil)
	},
	"no answer": func(*channel, uint64) {},
	"exit":      func(*channel, uint64) { unix.Exit(9) },
	"false word": func(c *channel, _ uint64) {
		c.notify(wire.MethodEnding, &wire.Ending{Cause: mp.CauseSupervisorGone})
		unix.Exit(9)
	},
	"socket": func(*channel, uint64) { unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0) },
	"crash":  func(*channel, uint64) { *pointer = 1 },
	"memory": func(c *channel, _ uint64) {
		for i := range held {
			held[i] = garbage(1 << 20)
		}
		runtime.KeepAlive(c) // or the collector closes its file before the limit is met
	},
}

var (
	pointer *int
	held    [1024][]byte
)

func garbage(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	if n >= 4 {
		b[0] = 0xff // as a length, it is too long
	}
	return b
}

func line() *wire.Log {
	return &wire.Log{Lines: []wire.LogLine{{Level: "info", Text: "a line"}}}
}
