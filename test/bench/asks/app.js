// What a request to the host costs, seen by the program: the mean of a few, one
// after the other, in microseconds.
export async function mean({ requests }) {
  const begin = performance.now();
  for (let i = 0; i < requests; i++) await mp.request("app");
  return ((performance.now() - begin) * 1000) / requests;
}
