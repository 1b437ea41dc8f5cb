package js

import (
	"strings"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// packs has functions for programs under test.
const packs = `
	const read = async (stream) => new Uint8Array(await new Response(stream).arrayBuffer());
	const through = (transform, ...chunks) => read(ReadableStream.from(chunks).pipeThrough(transform));
	const pack = (format, ...chunks) => through(new CompressionStream(format), ...chunks);
	const unpack = (format, ...chunks) => through(new DecompressionStream(format), ...chunks);
	const zeros = async (megabytes) => {
		const piece = new Uint8Array(1 << 20);
		return await read(ReadableStream.from({ *[Symbol.iterator]() { for (let i = 0; i < megabytes; i++) yield piece; } }).pipeThrough(new CompressionStream("gzip")));
	};
	// begin is a stream in the middle of its work.
	const begin = async (transform, chunk) => {
		const writer = transform.writable.getWriter(), reader = transform.readable.getReader();
		writer.closed.catch(() => {}); reader.closed.catch(() => {});
		await writer.write(chunk);
		return { writer, reader };
	};
	const tell = (promise) => promise.then(() => "fulfilled", (e) => e.name + ": " + e.message);
`

func runs(t *testing.T, app, want string) *bench {
	t.Helper()
	p := program(packs + app)
	p.Heap = 16 << 20
	b, err := start(t, p)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.must("f", ""); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	return b
}

// A bomb of 24 MB passes through a heap of 16 MB, since its reader takes it
// chunk by chunk; one that is kept ends at the heap's limit.
func TestBomb(t *testing.T) {
	b := runs(t, `
		export const f = async () => {
			const bomb = await zeros(24);
			let n = 0, most = 0;
			for await (const chunk of ReadableStream.from([bomb]).pipeThrough(new DecompressionStream("gzip"))) {
				n += chunk.length;
				most = Math.max(most, chunk.length);
			}
			return [bomb.length < 50000, n, most <= 65536];
		};
		export const keep = async () => tell(unpack("gzip", await zeros(24)));`, `[true,25165824,true]`)
	if got := b.must("keep", ""); !strings.Contains(got, "out of memory") {
		t.Errorf("a bomb that is kept gives %s", got)
	}
	if n := len(b.codecs.byID); n != 0 {
		t.Errorf("%d streams are left", n)
	}
}

// Compressing without an end ends at the turn's limit, as any endless loop.
func TestEndlessCompression(t *testing.T) {
	p := program(packs + `export const f = () => read(ReadableStream.from({ *[Symbol.iterator]() { for (;;) yield new Uint8Array(1 << 16); } }).pipeThrough(new CompressionStream("gzip")).pipeThrough(new DecompressionStream("gzip")).pipeThrough(new TransformStream({ transform() {} })));`)
	p.Turn = 300e6
	b, err := start(t, p)
	if err != nil {
		t.Fatal(err)
	}
	go b.do(t.Context(), "f", "")
	wantExit(t, b.ended(), mp.CauseCallLimit)
}

// Streams are freed at their end, when they fail, when they are given up, and
// when nobody has them any more: of compressors there is room for 16.
func TestStreamsAreFreed(t *testing.T) {
	for name, app := range map[string]string{
		"ended":     `await pack("gzip", new Uint8Array(10));`,
		"failed":    `await tell(unpack("gzip", new Uint8Array(10)));`,
		"cut":       `await tell(unpack("gzip", (await pack("gzip", new Uint8Array(10))).slice(0, -1)));`,
		"cancelled": `await (await begin(new CompressionStream("gzip"), new Uint8Array(10))).reader.cancel();`,
		"aborted":   `await (await begin(new CompressionStream("gzip"), new Uint8Array(10))).writer.abort();`,
		"refused":   `await tell((await begin(new CompressionStream("gzip"), new Uint8Array(10))).writer.write("text"));`,
		"abandoned": `await begin(new CompressionStream("gzip"), new Uint8Array(10));`,
	} {
		t.Run(name, func(t *testing.T) {
			b := runs(t, `export const f = async () => { for (let i = 0; i < 50; i++) { `+app+` } };`, `null`)
			if n := len(b.codecs.byID); n > 16 || n > 0 && name != "abandoned" {
				t.Errorf("%d streams are left", n)
			}
		})
	}
}

func TestTooManyStreams(t *testing.T) {
	runs(t, `
		export const f = async () => {
			const kept = [];
			for (let i = 0; i < 16; i++) kept.push(await begin(new CompressionStream("deflate"), new Uint8Array(1)));
			const before = await tell(pack("gzip", new Uint8Array(1)));
			await kept.pop().reader.cancel();
			return [before, await tell(pack("gzip", new Uint8Array(1)))];
		};`, `["QuotaExceededError: CompressionStream: too many are in use","fulfilled"]`)
}

func TestHostileChunks(t *testing.T) {
	runs(t, `
		export const f = async () => {
			const told = [];
			for (const chunk of ["text", null, 1, {}, [1], new SharedArrayBuffer(2), new Uint8Array(new SharedArrayBuffer(2)), { byteLength: 1 }]) {
				told.push((await tell(pack("gzip", chunk))).split(":")[0], (await tell(unpack("gzip", chunk))).split(":")[0]);
			}
			// The chunk goes while it is written: what was there then counts.
			const stream = new CompressionStream("deflate-raw"), writer = stream.writable.getWriter(), chunk = new Uint8Array(200000).fill(7);
			const written = writer.write(chunk);
			await null;
			chunk.buffer.transfer();
			const closed = writer.close(), whole = await unpack("deflate-raw", await read(stream.readable));
			await written; await closed;
			return [[...new Set(told)], whole.length, whole.every((x) => x === 7)];
		};`, `[["TypeError"],200000,true]`)
}

// Compression does not survive an image, and says so.
func TestRestoredCompression(t *testing.T) {
	prelude, p := writeImage(t), program(packs+`
		let old, unused = new CompressionStream("gzip");
		export const f = async () => { old = [await begin(new CompressionStream("gzip"), new Uint8Array(10)), await begin(new DecompressionStream("gzip"), new Uint8Array([31]))]; };
		export const g = async () => {
			const told = [];
			for (const { writer } of old) told.push(await tell(writer.write(new Uint8Array(1)).then(() => writer.closed)));
			const fresh = await unpack("gzip", await read(ReadableStream.from([new Uint8Array(5)]).pipeThrough(unused)));
			return [told, fresh.length];
		};`)
	image := life(t, prelude, p, InstanceImage, func(b *bench) { b.must("f", "") })
	b := restored(t, prelude, image, p)
	const want = `[["AbortError: CompressionStream: the program was suspended while it was in use","AbortError: DecompressionStream: the program was suspended while it was in use"],5]`
	if got := b.must("g", ""); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// An engine that is closed leaves no coroutine and no stream behind.
func TestCloseFreesStreams(t *testing.T) {
	b := begin(t, nil, program(packs+`export let kept; export const f = async () => { kept = await begin(new DecompressionStream("gzip"), new Uint8Array([31])); };`))
	b.must("f", "")
	e := b.Engine
	if n := len(e.codecs.byID); n != 1 {
		t.Errorf("%d streams are open", n)
	}
	b.end()
	if n := len(e.codecs.byID); n != 0 || e.codecs.weight != 0 {
		t.Errorf("%d streams are left, of weight %d", n, e.codecs.weight)
	}
}
