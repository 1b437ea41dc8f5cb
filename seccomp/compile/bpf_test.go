package compile

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/seccomp"
)

// data is struct seccomp_data: what a filter sees of a call.
type data struct {
	nr   uint32
	arch uint32
	ip   uint64
	args [6]uint64
}

func (d data) bytes() []byte {
	b := binary.NativeEndian.AppendUint32(nil, d.nr)
	b = binary.NativeEndian.AppendUint32(b, d.arch)
	b = binary.NativeEndian.AppendUint64(b, d.ip)
	for _, a := range d.args {
		b = binary.NativeEndian.AppendUint64(b, a)
	}
	return b
}

type instruction struct {
	code   uint16
	jt, jf uint8
	k      uint32
}

func decode(program []byte) []instruction {
	var all []instruction
	for ; len(program) >= 8; program = program[8:] {
		all = append(all, instruction{
			binary.NativeEndian.Uint16(program), program[2], program[3], binary.NativeEndian.Uint32(program[4:]),
		})
	}
	return all
}

// run is the classic BPF machine, as far as seccomp(2) allows it and
// libseccomp uses it. It gives the returned action and the steps that it took.
func run(program []instruction, d data) (action uint32, steps int, err error) {
	input := d.bytes()
	var a uint32
	for pc := 0; pc < len(program); pc++ {
		in := program[pc]
		steps++
		jump := func(yes bool) {
			if yes {
				pc += int(in.jt)
			} else {
				pc += int(in.jf)
			}
		}
		switch in.code {
		case 0x20: // ld [k]
			if in.k%4 != 0 || int(in.k)+4 > len(input) {
				return 0, steps, fmt.Errorf("instruction %d loads at %d", pc, in.k)
			}
			a = binary.NativeEndian.Uint32(input[in.k:])
		case 0x54: // and k
			a &= in.k
		case 0x05: // ja
			pc += int(in.k)
		case 0x15:
			jump(a == in.k)
		case 0x25:
			jump(a > in.k)
		case 0x35:
			jump(a >= in.k)
		case 0x45:
			jump(a&in.k != 0)
		case 0x06: // ret k
			return in.k, steps, nil
		default:
			return 0, steps, fmt.Errorf("instruction %d has code %#x", pc, in.code)
		}
	}
	return 0, steps, fmt.Errorf("the program runs off its end")
}

// program is a filter as it is installed.
type program struct {
	code []instruction
	log  bool
}

// stack is several, in the order in which they are installed.
type stack []program

// decide is seccomp_run_filters of kernel/seccomp.c: the filter that was
// installed last comes first, and a later answer takes its place only if it is
// stricter. Actions are compared as signed numbers, so that killing is least. It
// also tells whether the filter that won has what it refuses logged.
func (s stack) decide(d data) (action uint32, log bool, err error) {
	action = uint32(seccomp.Allow)
	for _, p := range slices.Backward(s) {
		a, _, err := run(p.code, d)
		if err != nil {
			return 0, false, err
		}
		if int32(a&0xffff0000) < int32(action&0xffff0000) {
			action, log = a, p.log
		}
	}
	return action, log, nil
}

// check holds an answer to what is wanted, and tells whether it is logged.
func (s stack) check(t *testing.T, d data, want seccomp.Action) bool {
	t.Helper()
	got, log, err := s.decide(d)
	if err != nil {
		t.Fatalf("call %d of architecture %#x with %#x: %v", d.nr, d.arch, d.args, err)
	}
	if got != uint32(want) {
		t.Fatalf("call %d of architecture %#x with %#x: action %#x, want %#x", d.nr, d.arch, d.args, got, want)
	}
	return log
}

// trace runs a program as the kernel does to learn whether it can remember the
// answer: it tells whether anything but the number and the architecture was
// looked at.
func (p program) trace(t *testing.T, d data) (looked bool, action uint32) {
	t.Helper()
	code := slices.Clone(p.code)
	for i, in := range code {
		if in.code == 0x20 && in.k > 4 {
			code[i] = instruction{code: 0xffff} // run does not know it
		}
	}
	action, _, err := run(code, d)
	return err != nil, action
}
