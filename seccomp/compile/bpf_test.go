package compile

import (
	"encoding/binary"
	"fmt"
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
