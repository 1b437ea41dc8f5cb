// The way of a call: the function's result, awaited, as JSON to Go.
const { settle, fail } = host;
const stringify = JSON.stringify;

host.invoke = async (id, ...call) => {
  let json;
  try {
    const [f, ...input] = call;
    json = stringify(await f(...input));
  } catch (error) {
    fail(id, error);
    return;
  }
  settle(id, json);
};
