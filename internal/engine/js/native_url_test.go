package js

import "testing"

func TestHostileURLs(t *testing.T) {
	evalAll(t, map[string]string{
		`(() => { const s = "+".repeat(1 << 20) + "%e2%82%ac+x"; return [new URLSearchParams(s + "=1").has(" ".repeat(1 << 20) + "€ x"), new URLSearchParams({ a: "+" + "😀".repeat(600000) }).toString().length]; })()`: `[true,7200005]`,
		`URL.canParse("x:" + "a".repeat((2 << 20) - 2))`: `true`,
		`URL.canParse("x:" + "a".repeat((2 << 20) - 1))`: `false`,
		`URL.canParse("x", "y:/" + "a".repeat(2 << 20))`: `false`,
		`(() => { try { new URL("a".repeat(3 << 20)) } catch (e) { return [e.name, e.message.slice(-42), e.message.length < 300] } })()`:                       `["TypeError","not valid: it is longer than 2097152 bytes",true]`,
		`(() => { const u = new URL("x:/"); u.pathname = "a".repeat(3 << 20); return u.href; })()`:                                                             `"x:/"`,
		`(() => { const u = new URL("x:/?"); u.searchParams.append("a", "b".repeat(3 << 20)); return [u.href.length, u.searchParams.size]; })()`:               `[4,1]`,
		`new URL("x:/" + "a/".repeat(500000)).pathname.length`:                                                                                                 `1000001`,
		`new URL("x:/" + "../".repeat(500000)).pathname`:                                                                                                       `"/"`,
		`new URL("http://h/" + "é".repeat(300000)).pathname.length`:                                                                                            `1800001`,
		`new URL("x:\ud800#\udfff\ud800").href`:                                                                                                                `"x:%EF%BF%BD#%EF%BF%BD%EF%BF%BD"`,
		`new URLSearchParams("&=".repeat(10000)).size`:                                                                                                         `10000`,
		`new URLSearchParams("%".repeat(1000000)).keys().next().value.length`:                                                                                  `1000000`,
		`new URLSearchParams({ a: "\ud800" }).toString()`:                                                                                                      `"a=%EF%BF%BD"`,
		`(() => { const u = new URL("x:/a"); try { u.host = { toString() { u.href = "y:/b"; return "h"; } } } catch {} return u.href; })()`:                    `"y://h/b"`,
		`(() => { const p = new URLSearchParams("a=1&b=2&c=3"), seen = []; for (const [n] of p) { seen.push(n); p.delete(n); } return seen; })()`:              `["a","c"]`,
		`(() => { const p = new URLSearchParams(); let n = 0; p.append("a", 1); for (const _ of p) if (++n < 1000) p.append("b", n); return [n, p.size]; })()`: `[1000,1000]`,
		`(() => { try { new URLSearchParams([["a", "b"], ["c"]]) } catch (e) { return e.name } })()`:                                                           `"TypeError"`,
		`(() => { try { new URLSearchParams({ [Symbol()]: 1 }) } catch (e) { return e.name } })()`:                                                             `"TypeError"`,
		`(() => { try { Object.getOwnPropertyDescriptor(URL.prototype, "href").get.call({}) } catch (e) { return e.name } })()`:                                `"TypeError"`,
	})
}
