package image

import (
	"bytes"
	"strings"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

var testBinding = binding{kind: kindInstance, app: "com.example.loan", digest: mp.Digest{1}, build: "build", owner: "abc", counter: 7}

func sealedOf(t testing.TB, k *key, b binding, content []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := k.seal(&out, b, bytes.NewReader(content), int64(len(content))); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func opened(k *key, b binding, sealed []byte) ([]byte, error) {
	var out bytes.Buffer
	err := k.open(&out, b, bytes.NewReader(sealed), int64(len(sealed)))
	return out.Bytes(), err
}

// What was sealed opens again, whatever its length is to a chunk's.
func TestSeal(t *testing.T) {
	k := &key{1}
	for _, n := range []int{0, 1, 15, 16, 17, chunkSize - 1, chunkSize, chunkSize + 1, 3*chunkSize - 1, 3 * chunkSize, 3*chunkSize + 5} {
		content := bytes.Repeat([]byte("heap"), n/4+1)[:n]
		s := sealedOf(t, k, testBinding, content)
		if int64(len(s)) != sealedSize(int64(n)) || plainSize(int64(len(s))) != int64(n) {
			t.Errorf("%d bytes: %d sealed, sealedSize gives %d, plainSize gives %d", n, len(s), sealedSize(int64(n)), plainSize(int64(len(s))))
		}
		if got, err := opened(k, testBinding, s); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d bytes: %d came back, %v", n, len(got), err)
		}
		if n > 64 && bytes.Contains(s, []byte("heapheap")) {
			t.Errorf("%d bytes: the content can be read", n)
		}
	}
}

func TestPlainSizeIsExact(t *testing.T) {
	lengths := map[int64]bool{}
	for n := range int64(3 * chunkSize) {
		lengths[sealedSize(n)] = true
	}
	for n := range sealedSize(3*chunkSize - 1) {
		if got := plainSize(n); (got >= 0) != lengths[n] {
			t.Fatalf("a file of %d bytes has %d", n, got)
		}
	}
}

// The two files differ in everything but what is in them.
func TestSealIsRandom(t *testing.T) {
	a, b := sealedOf(t, &key{1}, testBinding, make([]byte, 100)), sealedOf(t, &key{1}, testBinding, make([]byte, 100))
	same := 0
	for i := 12; i < len(a); i++ {
		if a[i] == b[i] {
			same++
		}
	}
	if same > 20 {
		t.Errorf("%d of %d bytes are the same", same, len(a))
	}
}

// Every bit counts, and every byte of the length.
func TestOpenRefusesChanges(t *testing.T) {
	k := &key{1}
	s := sealedOf(t, k, testBinding, []byte(strings.Repeat("x", 300)))
	for i := range len(s) * 8 {
		bad := bytes.Clone(s)
		bad[i/8] ^= 1 << (i % 8)
		if got, err := opened(k, testBinding, bad); err == nil || len(got) > 0 {
			t.Fatalf("bit %d: %d bytes, %v", i, len(got), err)
		}
	}
	for n := range len(s) {
		if got, err := opened(k, testBinding, s[:n]); err == nil || len(got) > 0 {
			t.Fatalf("cut off at %d: %d bytes, %v", n, len(got), err)
		}
	}
	if _, err := opened(k, testBinding, append(bytes.Clone(s), 0)); err == nil {
		t.Error("one byte more: accepted")
	}
}

// Chunks cannot be left out, put in another order, or taken from another file.
func TestOpenRefusesOtherChunks(t *testing.T) {
	const c = chunkSize + tagSize
	k := &key{1}
	content := make([]byte, 3*chunkSize)
	s, other := sealedOf(t, k, testBinding, content), sealedOf(t, k, testBinding, content)
	for name, bad := range map[string][]byte{
		"the last left out":   s[:headerSize+2*c],
		"the first left out":  append(bytes.Clone(s[:headerSize]), s[headerSize+c:]...),
		"the first twice":     append(bytes.Clone(s[:headerSize+c]), append(bytes.Clone(s[headerSize:headerSize+c]), s[headerSize+2*c:]...)...),
		"one of another file": append(bytes.Clone(s[:headerSize+c]), append(bytes.Clone(other[headerSize+c:headerSize+2*c]), s[headerSize+2*c:]...)...),
		"another header":      append(bytes.Clone(other[:headerSize]), s[headerSize:]...),
	} {
		if _, err := opened(k, testBinding, bad); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := opened(k, testBinding, s); err != nil {
		t.Errorf("as it was: %v", err)
	}
}

func TestOpenRefusesOtherBindings(t *testing.T) {
	k := &key{1}
	s := sealedOf(t, k, testBinding, []byte("x"))
	for name, change := range map[string]func(*binding){
		"kind": func(b *binding) { b.kind = kindReady }, "app": func(b *binding) { b.app += "x" },
		"digest": func(b *binding) { b.digest[31] ^= 1 }, "build": func(b *binding) { b.build = "" },
		"owner": func(b *binding) { b.owner = "abd" }, "counter": func(b *binding) { b.counter++ },
		"texts moved": func(b *binding) { b.app, b.build = b.app[:4], string(b.app[4:])+b.build },
	} {
		b := testBinding
		change(&b)
		if _, err := opened(k, b, s); err == nil {
			t.Errorf("another %s: accepted", name)
		}
	}
	if _, err := opened(&key{2}, testBinding, s); err == nil {
		t.Error("another key: accepted")
	}
}

// FuzzOpen checks that nothing opens as what was not sealed.
func FuzzOpen(f *testing.F) {
	k := &key{1}
	f.Add(sealedOf(f, k, testBinding, []byte("content")))
	f.Add(sealedOf(f, &key{2}, testBinding, []byte("content")))
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := opened(k, testBinding, b); err == nil && string(got) != "content" {
			t.Errorf("opened as %q", got)
		}
	})
}
