package native

import (
	"encoding/json"
	"os"
	"strconv"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// bridge is the JSON-RPC with the program: one line after the other. Whoever
// sends more than is handled waits on a full socket.
//
// Nothing but bytes crosses it: read(2) has no room for descriptors, and the
// kernel drops those that the program sends.
type bridge struct {
	file *os.File
	in   source
	out  queue
	rate *bucket
	e    *Engine
}

func newBridge(e *Engine, file *os.File) *bridge {
	b := &bridge{file: file, in: source{file: file}, rate: newBucket(e.program.IPCRate), e: e}
	b.out.to = file
	return b
}

// run serves the program until it closes the bridge, ends, or breaks a rule.
func (b *bridge) run() {
	l := lines{from: &b.in, max: maxLineBytes}
	for {
		line, err := l.next()
		if err == nil {
			err = b.take(line)
		}
		if err != nil {
			b.over(err)
			return
		}
	}
}

// over says why nothing more is read.
func (b *bridge) over(err error) {
	switch err {
	case errLongLine, errNotJSON:
		b.out.put(answer(nil, nil, err))
		b.e.end(mp.CauseProtocol, "on its host descriptor "+err.Error())
	case errFull:
		b.e.end(mp.CauseProtocol, unread)
	default:
		// A program that has ended, which is the usual reason, has a better one
		// for its calls.
		within(b.e.child.ended, graceTime)
		select {
		case <-b.e.child.ended:
		default:
			b.e.calls.shut(errClosed)
		}
	}
}

// take handles one line. An error ends the bridge.
func (b *bridge) take(line []byte) error {
	m, err := parse(line)
	switch {
	case err == errNotJSON:
		return err
	case err != nil:
		b.wait()
		return b.out.put(answer(m.ID, nil, err))
	case m.isAnswer():
		b.answered(m)
		return nil
	}
	b.wait()
	b.ask(m)
	return nil
}

// ask has a request answered, now or later.
func (b *bridge) ask(m message) {
	engine.Ask(b.e.life, engine.Guest{Program: &b.e.program, Host: b.e.host}, *m.Method, m.Params, func(result []byte, err error) {
		if m.ID == nil {
			return // a notification has no answer, not even that it failed
		}
		if err == nil {
			result, err = compact(result) // on one line
		}
		if b.out.put(answer(m.ID, result, err)) != nil {
			b.e.end(mp.CauseProtocol, unread)
		}
	})
}

// answered hands an answer to its call. One that nobody waits for any more is
// in order, and counts as a request: it costs as much.
func (b *bridge) answered(m message) {
	id, err := strconv.ParseUint(string(m.ID), 10, 64)
	if err == nil {
		if c, ok := b.e.calls.take(id); ok {
			c.finish(outcome(c.name, m, b.e.program.Result))
			return
		}
	}
	b.wait()
}

// wait holds the program to its rate, for as long as there is one.
func (b *bridge) wait() {
	d := b.rate.take(time.Now())
	if d == 0 || b.in.over.Load() {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-b.e.child.ended:
	case <-b.e.stop:
	}
}

// outcome is what an answer says of its call.
func outcome(name string, m message, limit int) (json.RawMessage, error) {
	switch {
	case (m.Result == nil) == (m.Error == nil):
		return nil, &mp.GuestError{Name: "Error", Message: "the program's answer has not one of result and error"}
	case m.Error != nil:
		return nil, guestError(name, m.Error)
	case len(m.Result) > limit:
		return nil, &engine.TooLargeError{Size: int64(len(m.Result)), Limit: int64(limit)}
	}
	return m.Result, nil
}
