// Package wire defines every message that crosses a worker's trust line.
//
// Messages are CBOR (RFC 8949), decoded strictly: no duplicate keys, no unknown
// keys, no indefinite lengths, no tags, bounded depth and sizes. A message that
// breaks a rule is a protocol error and ends the worker that sent it.
// docs/protocol.md has the whole exchange.
//
// Calls carry a method byte before the CBOR; see Method.
package wire

import "github.com/mpsupervisor/mpsupervisor/internal/mp"

// Method names what a request or a notification is. It is the first byte of
// the body, before the CBOR of the message.
type Method byte

// Requests from the supervisor to the worker, each with its reply.
const (
	MethodBoot    Method = 1 // Boot → Booted; once, with the package's fd attached, and its image's, or a native program's three
	MethodCall    Method = 2 // Call → Reply; after Boot
	MethodSignal  Method = 3 // Signal → Done; after Boot, and for native programs alone
	MethodHeap    Method = 4 // Heap → Done; after Boot, and for JavaScript alone
	MethodSuspend Method = 5 // Suspend → Suspended; after Boot, for JavaScript alone, with the writing end of a pipe
	MethodEvent   Method = 6 // Event → EventDone; after Boot
	MethodBegin   Method = 7 // Begin → Booted; once, after Boot, for WebAssembly alone, whose Boot runs nothing
)

// Requests from the worker to the supervisor, each with its reply.
const (
	MethodAsk Method = 32 // Ask → Answer; after Boot
)

// Notifications from the worker to the supervisor. They have no reply.
const (
	MethodSealed Method = 16 // Sealed: every lock is on; once, the first message
	MethodLog    Method = 17 // Log: console lines
	MethodEnding Method = 18 // Ending: the worker will exit now, and why; the last message
)

// Sealed says which locks the worker found in force when it checked itself.
// The supervisor does not rely on it: the launcher verifies from outside.
type Sealed struct {
	Locks []string `cbor:"1,keyasint"`
	// Landlock is the ABI version of the kernel's Landlock.
	Landlock int `cbor:"2,keyasint"`
	// Image says whether the engine was mapped from its heap image ("mapped")
	// or evaluated anew, and why ("build ID differs").
	Image string `cbor:"3,keyasint"`
	// Build is the build ID of the worker's executable, empty when it has none.
	// Heap images are bound to it.
	Build string `cbor:"4,keyasint,omitempty"`
}

// Boot gives a blank worker its program.
type Boot struct {
	AppID       string   `cbor:"1,keyasint"`
	Entry       string   `cbor:"2,keyasint"`
	Seed        [32]byte `cbor:"3,keyasint"`
	UnixNano    int64    `cbor:"4,keyasint"` // the wall clock
	Heap        int64    `cbor:"5,keyasint"` // bytes
	TurnMillis  int64    `cbor:"6,keyasint"` // the longest turn of the event loop
	ResultBytes int      `cbor:"7,keyasint"`
	LogRate     int      `cbor:"8,keyasint"` // lines a second
	IPCRate     int      `cbor:"9,keyasint"` // requests a second
	// Native says how to execute a native program; nil for the other engines.
	Native *Native `cbor:"10,keyasint,omitempty"`
	// Image says that a second descriptor came: a heap image to begin with in
	// the place of the entry's evaluation, or the module's compiled form.
	Image bool `cbor:"11,keyasint,omitempty"`
	// Digest is the package's. An image is bound to it.
	Digest mp.Digest `cbor:"12,keyasint"`
	// Wasm says how to run a module of WebAssembly; nil for the other engines.
	Wasm *Wasm `cbor:"13,keyasint,omitempty"`
}

// Wasm is what a module of WebAssembly runs with.
type Wasm struct {
	Args     []string `cbor:"1,keyasint,omitempty"` // after its own name
	TmpBytes int64    `cbor:"2,keyasint"`           // of /tmp
	TmpFiles int64    `cbor:"3,keyasint"`
	// Compile asks for the module's compiled form, and for nothing to be run. The
	// second descriptor is the writing end of a pipe, which takes it.
	Compile bool `cbor:"4,keyasint,omitempty"`
}

// Begin has the module's first instruction run.
type Begin struct{}

// Native is what a native program is executed with. With Stdio set, three
// descriptors come with the Boot: its standard input, output and error. Without,
// its input is /dev/null and its output and error are console lines.
type Native struct {
	Args  []string `cbor:"1,keyasint"`           // Args[0] is the program, a path or looked up in the PATH of Env
	Env   []string `cbor:"2,keyasint,omitempty"` // NAME=VALUE
	Dir   string   `cbor:"3,keyasint,omitempty"` // where it begins; "" is /
	Stdio bool     `cbor:"4,keyasint,omitempty"`
	TTY   bool     `cbor:"5,keyasint,omitempty"` // its standard input is the terminal that is to control it
}

// Signal asks that a signal be sent to the program's process group.
type Signal struct {
	Number int `cbor:"1,keyasint"` // 1 to 31
}

// Heap changes the limit of the guest's heap that Boot set, from the next turn of
// its event loop on. The answer does not wait for that.
type Heap struct {
	Bytes int64 `cbor:"1,keyasint"` // above 0
}

// Done answers what has no other answer.
type Done struct{}

// Booted answers Boot. Error is set when the program's own code failed; the
// package cannot be run then.
type Booted struct {
	Exports []string       `cbor:"1,keyasint,omitempty"`
	Error   *mp.GuestError `cbor:"2,keyasint,omitempty"`
	// Image answers Boot's: Restored, or why the program was evaluated from its
	// source, or the module compiled, instead.
	Image string `cbor:"3,keyasint,omitempty"`
}

// Restored is Booted.Image of a program that began with the image.
const Restored = "restored"

// Call asks for one exported function. Input is JSON.
type Call struct {
	Name  string `cbor:"1,keyasint"`
	Input []byte `cbor:"2,keyasint"`
}

// Reply answers Call with JSON, or with what the program threw.
type Reply struct {
	Output   []byte         `cbor:"1,keyasint,omitempty"`
	Error    *mp.GuestError `cbor:"2,keyasint,omitempty"`
	NotFound bool           `cbor:"3,keyasint,omitempty"` // there is no such exported function
	TooLarge int64          `cbor:"4,keyasint,omitempty"` // the result's size, when it is above its limit
}

// Event tells the program of a moment in its life. Page is one of its pages'
// path, or empty for the whole program. Detail is a JSON object, or empty.
type Event struct {
	Type   mp.EventType `cbor:"1,keyasint"`
	Page   string       `cbor:"2,keyasint,omitempty"`
	Detail []byte       `cbor:"3,keyasint,omitempty"`
}

// EventDone answers Event when the program's handlers have run, and what they
// asked to be waited for has settled or taken its time. Result is the JSON that
// they saved, or empty.
type EventDone struct {
	Result []byte `cbor:"1,keyasint,omitempty"`
}

// Ask is a request of the program's to its host. Params is JSON, or empty.
type Ask struct {
	Method string `cbor:"1,keyasint"`
	Params []byte `cbor:"2,keyasint,omitempty"`
}

// Answer answers Ask, with JSON or with an error.
type Answer struct {
	Result []byte       `cbor:"1,keyasint,omitempty"`
	Error  *mp.AskError `cbor:"2,keyasint,omitempty"`
}

// Log carries console lines, and how many more were dropped for their rate.
type Log struct {
	Lines   []LogLine `cbor:"1,keyasint,omitempty"`
	Dropped uint64    `cbor:"2,keyasint,omitempty"`
}

// LogLine is one console line. Text is valid UTF-8 and at most MaxLogText long.
type LogLine struct {
	Level    string `cbor:"1,keyasint"` // debug, info, warn, error
	UnixNano int64  `cbor:"2,keyasint"` // by the worker's clock; a claim
	Text     string `cbor:"3,keyasint"`
}

// Ending is a worker's last word. It is a claim: what the kernel witnessed wins.
type Ending struct {
	Cause  mp.Cause `cbor:"1,keyasint"`
	Code   int      `cbor:"2,keyasint,omitempty"`
	Fault  mp.Fault `cbor:"3,keyasint,omitempty"`
	Detail string   `cbor:"4,keyasint,omitempty"`
	Signal int      `cbor:"5,keyasint,omitempty"` // for CauseSignal: what ended the native program
}

// Limits of single members, checked after decoding; a whole message is bounded
// by the channel before it is decoded.
const (
	MaxInput    = 1 << 20 // bytes of JSON in a call
	MaxResult   = 1 << 20 // bytes of JSON in a reply
	MaxName     = 256     // bytes of an exported function's or application's name
	MaxExports  = 1024
	MaxLogText  = 8 << 10 // bytes of a console line; longer ones are cut
	MaxLogLines = 256     // lines in one Log
	MaxErrText  = 64 << 10
	MaxLocks    = 64
	MaxParams   = 1 << 20   // bytes of JSON in a request to the host, and in its answer
	AskUnit     = 16 << 10  // bytes of a request that count as one more
	MaxAsks     = 64        // requests to the host in flight
	MaxAskCode  = 64        // bytes of an AskError's code
	MaxState    = 256 << 10 // bytes of JSON that a program saves for its next start
	MaxDetail   = MaxState + 4<<10
	MaxPage     = 1024      // bytes of a page's path
	MaxArgs     = 1024      // arguments, and likewise variables, of a native program
	MaxArgText  = 128 << 10 // bytes of all of them together
)
