package supervisor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// phase is what a worker may send next.
type phase int

const (
	phaseBlank  phase = iota // Sealed, or Ending if a lock is missing
	phaseSealed              // Ending: no guest code runs yet
	phaseBooted              // Log, Ending, and calls
	phaseSilent              // nothing: it has ended, or broke a rule
)

// What a worker may send in a second beside its log lines, and at once. An
// honest one gathers lines for 10 ms before it sends them; after the machine
// has stood still, what it sent meanwhile comes together.
const (
	messageRate  = 1000
	messageBurst = 8192
	byteRate     = 1 << 20
	byteBurst    = 32 << 20
)

// inbox takes what a worker sends without being asked. It implements
// ipc.Handler.
type inbox struct {
	inst *instance

	mu    sync.Mutex
	phase phase
	rate  bucket // of messages
	bytes bucket
}

func newInbox(i *instance, logRate int, now time.Time) inbox {
	lines := float64(logRate)
	return inbox{
		inst:  i,
		rate:  newBucket(messageRate+lines, messageBurst+lines, now),
		bytes: newBucket(byteRate+lines*wire.MaxLogText, byteBurst+lines*wire.MaxLogText, now),
	}
}

// errSilent is for a request that was on its way when its worker said its last
// word.
var errSilent = errors.New("the program has ended")

// ReceiveCall answers a request of the program's, or says what does. One that
// breaks a rule is the last.
func (b *inbox) ReceiveCall(body []byte) (reply []byte, later func(context.Context) ([]byte, error), err error) {
	m, err := b.takeAsk(body)
	if err != nil {
		return nil, nil, err
	}
	f := askMethods[m.Method]
	answer := func(ctx context.Context) ([]byte, error) { return wire.MarshalReply(b.inst.answer(ctx, f, m)) }
	if f.quick || f.answer == nil {
		reply, err = answer(context.Background())
		return reply, nil, err
	}
	return nil, answer, nil
}

func (b *inbox) takeAsk(body []byte) (m *wire.Ask, err error) {
	b.mu.Lock()
	phase := b.phase
	b.mu.Unlock()
	switch phase {
	case phaseBooted:
		m, err = b.inst.asked(body)
	case phaseSilent:
		return nil, errSilent
	default:
		err = fmt.Errorf("made a call in phase %d, where it may not", phase)
	}
	if err != nil {
		b.reject(err)
	}
	return m, err
}

// HandleCall is for calls with descriptors, which the channel refuses from here.
func (b *inbox) HandleCall(context.Context, []byte, []*os.File) ([]byte, error) {
	err := errors.New("sent descriptors, which a worker may not")
	b.reject(err)
	return nil, err
}

// HandleNotify takes one message; one that breaks a rule is the last.
func (b *inbox) HandleNotify(body []byte) {
	if err := b.receive(body, time.Now()); err != nil {
		b.reject(err)
	}
}

func (b *inbox) reject(rule error) {
	b.mu.Lock()
	b.phase = phaseSilent
	b.mu.Unlock()
	b.inst.violated(rule)
}

// boot says that Boot is about to be sent, so that guest code may print.
func (b *inbox) boot() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.phase == phaseSealed {
		b.phase = phaseBooted
	}
}

func (b *inbox) receive(body []byte, now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.rate.take(1, now) || !b.bytes.take(float64(len(body)), now) {
		return errors.New("sent more messages, or more bytes, than it may")
	}
	method, rest, err := wire.Split(body)
	if err != nil {
		return err
	}
	switch {
	case b.phase == phaseBlank && method == wire.MethodSealed:
		return b.takeSealed(rest)
	case b.phase == phaseBooted && method == wire.MethodLog:
		return b.takeLog(rest, now)
	case b.phase != phaseSilent && method == wire.MethodEnding:
		return b.takeEnding(rest)
	}
	return fmt.Errorf("sent message %d in phase %d, where it may not", method, b.phase)
}

func (b *inbox) takeSealed(body []byte) error {
	var m wire.Sealed
	if err := wire.Unmarshal(body, &m); err != nil {
		return err
	}
	b.phase = phaseSealed
	i := b.inst
	i.mu.Lock()
	i.image, i.build = m.Image, m.Build
	i.mu.Unlock()
	close(i.sealed)
	return nil
}

func (b *inbox) takeLog(body []byte, now time.Time) error {
	var m wire.Log
	if err := wire.Unmarshal(body, &m); err != nil {
		return err
	}
	i := b.inst
	if dropped := i.console.add(m, now); dropped > 0 {
		i.sup.events.emit(eventLogDropped, i.id, i.app(), "lines", utoa(dropped))
	}
	return nil
}

// takeEnding records the last word. The process must end soon after.
func (b *inbox) takeEnding(body []byte) error {
	var m wire.Ending
	if err := wire.Unmarshal(body, &m); err != nil {
		return err
	}
	b.phase = phaseSilent
	i := b.inst
	i.mu.Lock()
	i.claim = &m
	i.mu.Unlock()
	time.AfterFunc(i.sup.timing.linger, func() {
		if !within(i.dead, 0) {
			i.end(i.lastWord(""))
		}
	})
	return nil
}
