package ipc

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// attack is one thing that a hostile peer does after a good handshake, and the
// rule that it breaks. The victim accepts messages of 1 MiB, 8 calls at once
// and 2 MiB outstanding, and waits 200 ms for the rest of a frame. Its handler
// never answers a call before it is told to stop.
type attack struct {
	name string
	rule Rule
	do   func(*peer)
}

var victim = Limits{Message: 1 << 20, Calls: 8, Window: 2 << 20, Frame: 200 * time.Millisecond}

func part1(k kind, number uint64, size int) header {
	return header{kind: k, number: number, size: uint32(size)}
}

func (p *peer) put(h header, payload int) { p.write(p.frame(h, make([]byte, payload))) }

// attacks are for either end.
var attacks = []attack{
	// Lengths.
	{"zero length", RuleLength, func(p *peer) { p.write(make([]byte, 4)) }},
	{"length below a frame's least", RuleLength, func(p *peer) { p.write([]byte{0, 0, 0, 31}) }},
	{"length 65536", RuleLength, func(p *peer) { p.write([]byte{0, 1, 0, 0}) }},
	{"length 4 GiB", RuleLength, func(p *peer) { p.write([]byte{255, 255, 255, 255}) }},
	{"garbage text", RuleLength, func(p *peer) { p.write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")) }},
	{"garbage of a good length", RuleAuth, func(p *peer) { p.write(framed(pattern(100))) }},
	{"half a frame, then gone", RuleTruncated, func(p *peer) { p.write(p.frame(part1(kindNotify, 1, 50), make([]byte, 50))[:40]); p.file.Close() }},
	{"half a length, then gone", RuleTruncated, func(p *peer) { p.write([]byte{0, 0}); p.file.Close() }},
	{"half a frame, then quiet", RuleDeadline, func(p *peer) { p.write(p.frame(part1(kindNotify, 1, 50), make([]byte, 50))[:40]) }},
	{"half a length, then quiet", RuleDeadline, func(p *peer) { p.write([]byte{0, 0}) }},
	{"one byte at a time", RuleDeadline, func(p *peer) {
		for _, b := range p.frame(part1(kindNotify, 1, 50), make([]byte, 50)) {
			p.write([]byte{b})
			time.Sleep(20 * time.Millisecond)
		}
	}},

	// Authentication.
	{"replayed frame", RuleAuth, func(p *peer) {
		b := p.frame(part1(kindNotify, 1, 1), []byte("x"))
		p.write(append(b, b...))
	}},
	{"reordered frames", RuleAuth, func(p *peer) {
		a, b := p.frame(part1(kindNotify, 1, 0), nil), p.frame(part1(kindNotify, 2, 0), nil)
		p.write(append(b, a...))
	}},
	{"frame left out", RuleAuth, func(p *peer) { p.frame(part1(kindNotify, 1, 0), nil); p.put(part1(kindNotify, 1, 0), 0) }},
	{"reflected frame", RuleAuth, func(p *peer) {
		p.out, p.in = p.in, p.out
		p.put(part1(kindNotify, 1, 0), 0)
	}},
	{"frames joined", RuleAuth, func(p *peer) {
		a, b := p.frame(part1(kindNotify, 1, 0), nil), p.frame(part1(kindNotify, 2, 0), nil)
		p.write(framed(append(a[4:], b[4:]...)))
	}},
	{"new key without telling", RuleAuth, func(p *peer) { p.out.rekey(); p.put(part1(kindNotify, 1, 0), 0) }},

	// Headers.
	{"plaintext shorter than a header", RuleLength, func(p *peer) { p.write(p.sealed(make([]byte, 15))) }},
	{"type 0", RuleHeader, func(p *peer) { p.put(header{}, 0) }},
	{"type 9", RuleHeader, func(p *peer) { p.put(header{kind: 9}, 0) }},
	{"type 255", RuleHeader, func(p *peer) { p.put(header{kind: 255}, 0) }},
	{"unknown flag", RuleHeader, func(p *peer) { p.put(header{kind: kindCall, number: 1, flags: 2}, 0) }},
	{"flag on an error", RuleHeader, func(p *peer) { p.put(header{kind: kindError, number: 1, flags: flagContinued}, 0) }},
	{"reserved byte", RuleHeader, func(p *peer) {
		b := make([]byte, 16)
		part1(kindNotify, 1, 0).put(b)
		b[3] = 1
		p.write(p.sealed(b))
	}},
	{"call without number", RuleHeader, func(p *peer) { p.put(header{kind: kindCall}, 0) }},
	{"credit with number", RuleHeader, func(p *peer) { p.put(header{kind: kindCredit, size: 1, number: 1}, 0) }},
	{"credit of nothing", RuleHeader, func(p *peer) { p.put(header{kind: kindCredit}, 0) }},
	{"cancel with payload", RuleHeader, func(p *peer) { p.put(header{kind: kindCancel, number: 1}, 1) }},
	{"close with size", RuleHeader, func(p *peer) { p.put(header{kind: kindClose, size: 1}, 0) }},

	// Numbers.
	{"number skipped", RuleStream, func(p *peer) { p.put(part1(kindNotify, 2, 0), 0) }},
	{"number used again", RuleStream, func(p *peer) { p.put(part1(kindCall, 1, 0), 0); p.put(part1(kindCall, 1, 0), 0) }},
	{"number used again by the other type", RuleStream, func(p *peer) { p.put(part1(kindCall, 1, 0), 0); p.put(part1(kindNotify, 1, 0), 0) }},
	{"fragment of nothing", RuleStream, func(p *peer) { p.put(header{kind: kindCall, number: 1, size: 2, flags: flagContinued}, 1) }},
	{"fragment of another type", RuleStream, func(p *peer) {
		p.put(part1(kindCall, 1, 9), 1)
		p.put(header{kind: kindNotify, number: 1, size: 9, flags: flagContinued}, 1)
	}},
	{"fragment after the whole", RuleStream, func(p *peer) {
		p.put(part1(kindCall, 1, 2), 2)
		p.put(header{kind: kindCall, number: 1, size: 2, flags: flagContinued}, 1)
	}},
	{"fragment after a cancellation", RuleStream, func(p *peer) {
		p.put(part1(kindCall, 1, 9), 1)
		p.put(header{kind: kindCancel, number: 1}, 0)
		p.put(header{kind: kindCall, number: 1, size: 9, flags: flagContinued}, 1)
	}},

	// Fragments and sizes.
	{"empty fragments for ever", RuleFragment, func(p *peer) {
		p.put(part1(kindCall, 1, 9), 1)
		for range 100 {
			p.put(header{kind: kindCall, number: 1, size: 9, flags: flagContinued}, 0)
		}
	}},
	{"endless fragments", RuleStream, func(p *peer) {
		p.put(part1(kindNotify, 1, 100), 1)
		for range 200 {
			p.put(header{kind: kindNotify, number: 1, size: 100, flags: flagContinued}, 1)
		}
	}},
	{"fragment beyond the size", RuleFragment, func(p *peer) {
		p.put(part1(kindCall, 1, 10), 9)
		p.put(header{kind: kindCall, number: 1, size: 10, flags: flagContinued}, 2)
	}},
	{"fragment with another size", RuleFragment, func(p *peer) {
		p.put(part1(kindCall, 1, 10), 1)
		p.put(header{kind: kindCall, number: 1, size: 11, flags: flagContinued}, 1)
	}},
	{"more than the size at once", RuleFragment, func(p *peer) { p.put(part1(kindCall, 1, 10), 11) }},
	{"two long notifications", RuleFragment, func(p *peer) { p.put(part1(kindNotify, 1, 10), 1); p.put(part1(kindNotify, 2, 10), 1) }},
	{"oversize message", RuleMessage, func(p *peer) { p.put(part1(kindCall, 1, 1<<20+1), 1) }},
	{"message of 4 GiB", RuleMessage, func(p *peer) { p.put(part1(kindNotify, 1, 1<<32-1), 1) }},

	// Flow.
	{"nine calls at once", RuleCalls, func(p *peer) {
		for i := range uint64(9) {
			p.put(part1(kindCall, i+1, 0), 0)
		}
	}},
	{"ten thousand calls at once", RuleCalls, func(p *peer) {
		for i := range uint64(10000) {
			p.put(part1(kindCall, i+1, 100), 100)
		}
	}},
	{"nine calls begun", RuleCalls, func(p *peer) {
		for i := range uint64(9) {
			p.put(part1(kindCall, i+1, 10), 1)
		}
	}},
	{"credit overrun", RuleCredit, func(p *peer) {
		for i := range uint64(3) {
			p.put(part1(kindCall, i+1, 1<<20), 1)
		}
	}},
	{"granted too much", RuleCredit, func(p *peer) { p.put(header{kind: kindCredit, size: 1}, 0) }},
	{"granted too many replies", RuleCredit, func(p *peer) { p.put(header{kind: kindCredit, flags: flagReplies, size: 1<<32 - 1}, 0) }},
	{"reply to an unknown call", RuleReply, func(p *peer) { p.put(part1(kindReply, 1, 0), 0) }},
	{"error to an unknown call", RuleReply, func(p *peer) { p.put(part1(kindError, 7, 0), 0) }},
	{"cancel of an unknown call", RuleCancel, func(p *peer) { p.put(header{kind: kindCancel, number: 1}, 0) }},
	{"cancel storm, then one too far", RuleCancel, func(p *peer) {
		p.put(part1(kindCall, 1, 0), 0)
		for range 10000 {
			p.put(header{kind: kindCancel, number: 1}, 0)
		}
		p.put(header{kind: kindCancel, number: 2}, 0)
	}},
	{"calls begun and cancelled, answers unread", RuleCalls, func(p *peer) {
		for i := range uint64(1 << 20) {
			if _, err := p.file.Write(p.frame(part1(kindCall, i+1, 10), make([]byte, 1))); err != nil {
				return
			}
			p.put(header{kind: kindCancel, number: i + 1}, 0)
		}
	}},

	// Keys.
	{"rekey storm", RuleRekey, func(p *peer) {
		p.put(part1(kindNotify, 1, 0), 0)
		for range 2 {
			p.put(header{kind: kindRekey}, 0)
			p.out.rekey()
		}
	}},
	{"rekey at once", RuleRekey, func(p *peer) { p.put(header{kind: kindRekey}, 0) }},

	// Descriptors.
	{"unsolicited descriptors", RuleFiles, func(p *peer) { p.writeWith(p.frame(part1(kindNotify, 1, 0), nil), 0, 0) }},
	{"announced, never sent", RuleFiles, func(p *peer) { p.put(header{kind: kindCall, number: 1, files: 1}, 0) }},
	{"five descriptors", RuleFiles, func(p *peer) { p.writeWith(p.frame(header{kind: kindCall, number: 1, files: 5}, nil), 0, 0, 0, 0, 0) }},
	{"descriptors with a notification", RuleFiles, func(p *peer) { p.writeWith(p.frame(header{kind: kindNotify, number: 1, files: 1}, nil), 0) }},
	{"descriptors with a later fragment", RuleFiles, func(p *peer) {
		p.put(part1(kindCall, 1, 2), 1)
		p.writeWith(p.frame(header{kind: kindCall, number: 1, size: 2, flags: flagContinued, files: 1}, make([]byte, 1)), 0)
	}},
}

// onResponder are attacks on an end that takes descriptors; an initiator
// refuses them for coming at all.
var onResponder = []attack{
	{"descriptors with half a frame, then gone", RuleTruncated, func(p *peer) { p.writeWith(p.frame(part1(kindNotify, 1, 0), nil)[:5], 0); p.file.Close() }},
	{"fewer descriptors than announced", RuleFiles, func(p *peer) { p.writeWith(p.frame(header{kind: kindCall, number: 1, files: 2}, nil), 0) }},
	{"more descriptors than announced", RuleFiles, func(p *peer) { p.writeWith(p.frame(header{kind: kindCall, number: 1, files: 1}, nil), 0, 0) }},
	{"descriptors twice", RuleFiles, func(p *peer) {
		b := p.frame(header{kind: kindCall, number: 1, files: 1}, nil)
		p.writeWith(b[:10], 0)
		p.writeWith(b[10:], 0)
	}},
	{"descriptors a frame early", RuleFiles, func(p *peer) {
		p.writeWith(p.frame(part1(kindNotify, 1, 0), nil), 0)
		p.put(header{kind: kindCall, number: 2, files: 1}, 0)
	}},
}

// onInitiator: the worker sends descriptors to the supervisor.
var onInitiator = []attack{
	{"descriptors with half a frame", RuleFiles, func(p *peer) { p.writeWith(p.frame(part1(kindNotify, 1, 0), nil)[:5], 0); p.file.Close() }},
	{"descriptors from the responder", RuleFiles, func(p *peer) { p.writeWith(p.frame(header{kind: kindCall, number: 1, files: 1}, nil), 0) }},
}

func TestHostilePeer(t *testing.T) {
	noLeaks(t)
	for _, connInitiates := range []bool{true, false} {
		list := slices.Concat(attacks, onInitiator)
		if !connInitiates {
			list = slices.Concat(attacks, onResponder)
		}
		for _, a := range list {
			t.Run(fmt.Sprintf("initiator %v/%s", connInitiates, a.name), func(t *testing.T) { suffer(t, connInitiates, a) })
		}
	}
}

// suffer attacks one connection while another one, its neighbour, works.
func suffer(t *testing.T, connInitiates bool, a attack) {
	noLeaks(t)
	neighbour, _ := connect(t, config(true, handler{}, Limits{}), config(false, handler{}, Limits{}))
	c, p := versus(t, connInitiates, handler{call: stuck}, victim)
	before := heap()
	a.do(p)
	err := ended(t, c)
	if brokenRule(err) != a.rule {
		t.Errorf("ended with %v, want the rule %q", err, a.rule)
	}
	if grown := heap() - before; grown > 8<<20 {
		t.Errorf("%d bytes of memory are held for the peer", grown)
	}
	if got, err := neighbour.Call(t.Context(), []byte("still here")); string(got) != "still here" || err != nil {
		t.Errorf("the neighbour: %q, %v", got, err)
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A flipped bit anywhere in a frame ends the connection, for the length or
// for authentication; a longer length may wait for bytes that never come.
func TestFlippedBits(t *testing.T) {
	noLeaks(t)
	for i := range lengthSize + headerSize + 3 + tagSize {
		c, p := versus(t, i%2 == 0, nil, Limits{Frame: 100 * time.Millisecond})
		b := p.frame(part1(kindNotify, 1, 3), []byte("abc"))
		b[i] ^= 1 << (i % 8)
		p.write(b)
		rule := brokenRule(ended(t, c))
		if i < lengthSize && rule == "" || i >= lengthSize && rule != RuleAuth {
			t.Errorf("byte %d flipped: rule %q, %v", i, rule, c.Err())
		}
		c.Close()
		p.file.Close()
	}
}

// The control of all attacks: a peer that behaves stays.
func TestGoodPeerStays(t *testing.T) {
	noLeaks(t)
	got := make(chan string, 3)
	c, p := versus(t, true, handler{notify: func(b []byte) { got <- string(b) }}, victim)
	p.send(kindNotify, 1, "one")
	p.put(header{kind: kindRekey}, 0)
	p.out.rekey()
	p.write(p.frame(part1(kindNotify, 2, 3), []byte("tw")))
	p.write(p.frame(header{kind: kindNotify, number: 2, size: 3, flags: flagContinued}, []byte("o")))
	b := p.frame(part1(kindNotify, 3, 5), []byte("three"))
	p.write(b[:7])
	time.Sleep(10 * time.Millisecond)
	p.write(b[7:])
	if s := strings.Join([]string{<-got, <-got, <-got}, " "); s != "one two three" || c.Err() != nil {
		t.Errorf("got %q, %v", s, c.Err())
	}
	p.put(header{kind: kindClose}, 0)
	if err := ended(t, c); err.Error() != "EOF" {
		t.Errorf("ended with %v", err)
	}
	p.file.Close()
}

// Descriptors that break a rule are closed, however far they got.
func TestRefusedDescriptorsAreClosed(t *testing.T) {
	for _, connInitiates := range []bool{true, false} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		c, p := versus(t, connInitiates, handler{}, Limits{})
		p.writeWith(p.frame(part1(kindNotify, 1, 0), nil), int(w.Fd()))
		if rule := brokenRule(ended(t, c)); rule != RuleFiles {
			t.Errorf("rule %q", rule)
		}
		w.Close()
		r.SetReadDeadline(time.Now().Add(10 * time.Second))
		if n, err := r.Read(make([]byte, 1)); n != 0 || err == nil || err.Error() != "EOF" {
			t.Errorf("initiator %v: the pipe's write end is still open: %v", connInitiates, err)
		}
		r.Close()
	}
}

// An end that is full of half-made messages holds no more than its window.
func TestMemoryIsBounded(t *testing.T) {
	c, p := versus(t, true, handler{call: stuck}, Limits{Message: 1 << 20, Calls: 4096, Window: 4 << 20})
	before := heap()
	for i := range uint64(4) {
		p.put(part1(kindCall, i+1, 1<<20), 1)
	}
	for i := range uint64(4000) {
		p.put(part1(kindCall, i+5, 0), 0)
	}
	for c.Stats().CallsIn < 4004 && c.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	if grown := heap() - before; grown < 4<<20 || grown > 16<<20 {
		t.Errorf("%d bytes are held, want the window and some for 4,000 handlers", grown)
	}
	if c.Err() != nil {
		t.Error(c.Err())
	}
}
