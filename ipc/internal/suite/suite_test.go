package suite

import (
	"bytes"
	"encoding/hex"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flynn/noise"
)

// vector is one test vector of the Noise community's, as flynn/noise ships them.
type vector map[string]string

func (v vector) hex(t *testing.T, key string) []byte {
	t.Helper()
	b, err := hex.DecodeString(v[key])
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// vectors reads those of NNpsk0 with our ciphers from the module's own file.
func vectors(t *testing.T) []vector {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/flynn/noise").Output()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "vectors.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var out []vector
	for block := range strings.SplitSeq(string(text), "\n\n") {
		v := vector{}
		for line := range strings.Lines(block) {
			if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
				v[key] = value
			}
		}
		if name := v["handshake"]; strings.HasPrefix(name, "Noise_NNpsk0_25519_") && strings.HasSuffix(name, "_SHA256") {
			out = append(out, v)
		}
	}
	return out
}

func TestVectors(t *testing.T) {
	seen := map[string]int{}
	for _, v := range vectors(t) {
		seen[v["handshake"]]++
		s := Suite{AESGCM}
		if strings.Contains(v["handshake"], "ChaChaPoly") {
			s = Suite{ChaChaPoly}
		}
		run(t, s, v)
	}
	for _, name := range []string{"Noise_NNpsk0_25519_AESGCM_SHA256", "Noise_NNpsk0_25519_ChaChaPoly_SHA256"} {
		if seen[name] == 0 {
			t.Errorf("there is no vector of %s", name)
		}
	}
}

// run plays both ends of a vector's two handshake and two transport messages.
func run(t *testing.T, s Suite, v vector) {
	t.Helper()
	end := func(initiator bool, ephemeral string) *noise.HandshakeState {
		state, err := noise.NewHandshakeState(noise.Config{
			CipherSuite: s.Noise(), Pattern: noise.HandshakeNN, Initiator: initiator,
			Prologue: v.hex(t, "prologue"), PresharedKey: v.hex(t, "preshared_key"),
			Random: io.Reader(bytes.NewReader(v.hex(t, ephemeral))),
		})
		if err != nil {
			t.Fatal(err)
		}
		return state
	}
	a, b := end(true, "gen_init_ephemeral"), end(false, "gen_resp_ephemeral")
	m0, _, _, err := a.WriteMessage(nil, v.hex(t, "msg_0_payload"))
	same(t, v, "msg_0_ciphertext", m0, err)
	p0, _, _, err := b.ReadMessage(nil, m0)
	same(t, v, "msg_0_payload", p0, err)
	m1, b1, b2, err := b.WriteMessage(nil, v.hex(t, "msg_1_payload"))
	same(t, v, "msg_1_ciphertext", m1, err)
	p1, a1, a2, err := a.ReadMessage(nil, m1)
	same(t, v, "msg_1_payload", p1, err)
	m2, err := a1.Encrypt(nil, nil, v.hex(t, "msg_2_payload"))
	same(t, v, "msg_2_ciphertext", m2, err)
	p2, err := b1.Decrypt(nil, nil, m2)
	same(t, v, "msg_2_payload", p2, err)
	m3, err := b2.Encrypt(nil, nil, v.hex(t, "msg_3_payload"))
	same(t, v, "msg_3_ciphertext", m3, err)
	p3, err := a2.Decrypt(nil, nil, m3)
	same(t, v, "msg_3_payload", p3, err)
}

func same(t *testing.T, v vector, key string, got []byte, err error) {
	t.Helper()
	if err != nil || hex.EncodeToString(got) != v[key] {
		t.Errorf("%s: %s is %x, %v; want %s", v["handshake"], key, got, err, v[key])
	}
}

// The ciphers equal flynn/noise's own, new keys included.
func TestCiphersEqualTheLibrarys(t *testing.T) {
	for _, pair := range [][2]noise.CipherFunc{{AESGCM, noise.CipherAESGCM}, {ChaChaPoly, noise.CipherChaChaPoly}} {
		key := [32]byte{7}
		ours := noise.UnsafeNewCipherState(Suite{pair[0]}.Noise(), key, 1<<40)
		theirs := noise.UnsafeNewCipherState(Suite{pair[1]}.Noise(), key, 1<<40)
		for i := range 10 {
			a, err := ours.Encrypt(nil, []byte("ad"), []byte("text"))
			if err != nil {
				t.Fatal(err)
			}
			if b, err := theirs.Decrypt(nil, []byte("ad"), a); err != nil || string(b) != "text" {
				t.Errorf("%s, message %d: %q, %v", pair[0].CipherName(), i, b, err)
			}
			if i == 5 {
				ours.Rekey()
				theirs.Rekey()
			}
		}
	}
}
