package seccomp

import (
	"bytes"
	"reflect"
	"testing"
)

func TestStackTravels(t *testing.T) {
	program := func(n int) []byte { return bytes.Repeat([]byte{byte(n)}, instructionSize*n) }
	for _, s := range []Stack{
		nil,
		{{Program: program(1)}},
		{{Program: program(3), Log: true}, {Program: program(2)}, {Program: program(5), Listen: true}},
	} {
		got, err := ParseStack(s.Marshal())
		if err != nil || !reflect.DeepEqual(got, s) {
			t.Errorf("%v became %v: %v", s, got, err)
		}
	}
}

func TestInstallRefusesWhatIsNoStack(t *testing.T) {
	ok := Filter{Program: make([]byte, instructionSize)}
	for name, s := range map[string]Stack{
		"nothing":              {},
		"too many":             {ok, ok, ok, ok, ok},
		"no program":           {ok, {}},
		"half an instruction":  {{Program: make([]byte, 12)}},
		"too long":             {{Program: make([]byte, 8*4097)}},
		"a listener, not last": {{Program: ok.Program, Listen: true}, ok},
	} {
		if err := s.Install(); err == nil {
			t.Fatalf("%s was installed", name)
		}
	}
}

func FuzzParseStack(f *testing.F) {
	f.Add(Stack{{Program: make([]byte, 16), Log: true}, {Program: make([]byte, 8)}}.Marshal())
	f.Add([]byte{3, 0, 0, 0, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ParseStack(b)
		if err == nil && !bytes.Equal(s.Marshal(), b) {
			t.Errorf("%x was read as %x", b, s.Marshal())
		}
	})
}
