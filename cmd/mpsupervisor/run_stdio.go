package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// pumpBuffer is how much is copied at once: what a pipe holds.
const pumpBuffer = 64 << 10

// stdio carries a native program's standard input, output and error between it
// and this command. The program gets pipes, or a terminal made for it (see
// newTerminal), and never a descriptor of this command's own: those may be
// files, sockets, or a terminal on which others type.
type stdio struct {
	theirs  []*os.File // what goes with the request to start, until sent
	in      *os.File
	oneWay  bool // in is not an output as well, as a terminal is: it can be closed
	outputs []*output

	pumping sync.WaitGroup // the outputs
	ending  atomic.Bool    // the program has ended: what it wrote is all there is
	restore func()         // of the terminal that this command has
}

// output is one of the two ways out.
type output struct {
	name string
	from *os.File
	to   io.Writer
	err  error // why not everything was written; set when pumping ends
}

// newPipes makes three pipes.
func newPipes(out, errs io.Writer) (_ *stdio, err error) {
	s := &stdio{oneWay: true, restore: func() {}}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	for n, to := range []io.Writer{nil, out, errs} {
		theirs, ours, err := pipe(to == nil)
		if err != nil {
			return nil, fmt.Errorf("cannot make the program's standard input and output: %w", err)
		}
		s.theirs = append(s.theirs, theirs)
		if n == 0 {
			s.in = ours
			continue
		}
		s.outputs = append(s.outputs, &output{name: [...]string{1: "output", 2: "error"}[n], from: ours, to: to})
	}
	return s, nil
}

// pipe makes one pipe (pipe(2)). Our end never blocks a thread; theirs is as a
// program expects it. Its mode lets the program, another user, open its end
// again as /dev/stdin or /dev/stdout; nobody else has a way to it.
func pipe(theyRead bool) (theirs, ours *os.File, err error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return nil, nil, err
	}
	t, o := fds[1], fds[0]
	if theyRead {
		t, o = o, t
	}
	err = errors.Join(unix.Fchmod(t, 0o666), unix.SetNonblock(o, true))
	theirs, ours = os.NewFile(uintptr(t), "the program's end"), os.NewFile(uintptr(o), "pipe")
	if err != nil {
		theirs.Close()
		ours.Close()
		return nil, nil, err
	}
	return theirs, ours, nil
}

// pump begins to carry. Input that ends is an end of the program's input, too.
// Nobody waits for the input: its next byte may never come.
func (s *stdio) pump(in io.Reader) {
	signal.Ignore(syscall.SIGPIPE) // writing to nobody is an error here, and no end
	for _, o := range s.outputs {
		s.pumping.Go(func() { o.pump(&s.ending) })
	}
	go func() {
		io.CopyBuffer(struct{ io.Writer }{s.in}, struct{ io.Reader }{in}, make([]byte, pumpBuffer))
		if s.oneWay {
			s.in.Close()
		}
	}()
}

// pump copies until the last writer has closed. When nobody takes the output
// any more, its pipe is closed, so that the program hears of it as it would
// from any pipe: SIGPIPE.
func (o *output) pump(ending *atomic.Bool) {
	defer o.from.Close()
	buffer := make([]byte, pumpBuffer)
	for {
		if ending.Load() {
			o.from.SetReadDeadline(time.Now().Add(lastLinesTimeout))
		}
		n, err := o.from.Read(buffer)
		if n > 0 {
			if _, o.err = o.to.Write(buffer[:n]); o.err != nil {
				return
			}
		}
		if err != nil { // io.EOF, and EIO of a terminal that nobody has open any more
			return
		}
	}
}

// sent closes the program's ends here, once the supervisor has its own.
func (s *stdio) sent() {
	for _, f := range s.theirs {
		f.Close()
	}
	s.theirs = nil
}

// finish returns when all that the program wrote is written, or cannot be: then
// with the reason, unless it is that nobody reads any more.
func (s *stdio) finish() (err error) {
	s.sent()
	s.ending.Store(true)
	for _, o := range s.outputs {
		o.from.SetReadDeadline(time.Now().Add(lastLinesTimeout)) // for one that waits already
	}
	s.pumping.Wait()
	for _, o := range s.outputs {
		if o.err != nil && !errors.Is(o.err, syscall.EPIPE) {
			err = errors.Join(err, fmt.Errorf("cannot write the program's standard %s: %w", o.name, o.err))
		}
	}
	return err
}

// close gives everything back, and the terminal as it was.
func (s *stdio) close() {
	s.sent()
	s.restore()
	if s.in != nil {
		s.in.Close()
	}
	for _, o := range s.outputs {
		o.from.Close()
	}
}
