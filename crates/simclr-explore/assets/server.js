// Questions to the server, below the page's own address.

async function answered(response) {
  if (response.ok) return response;
  let reason = response.statusText;
  try {
    reason = (await response.json()).error;
  } catch {
    // Some refusals are no JSON.
  }
  throw new Error(reason || `the server answers ${response.status}`);
}

async function asked(path, options) {
  let response;
  try {
    response = await fetch(path, { cache: "no-store", ...options });
  } catch {
    throw new Error("the server does not answer: has the command ended?");
  }
  return answered(response);
}

export const thumbnail = (row) => `api/thumbnail/${row}`;
export const photo = (row) => `api/photo/${row}`;

export async function json(path) {
  return (await asked(`api/${path}`)).json();
}

export async function binary(path) {
  const response = await asked(`api/${path}`);
  return { bytes: await response.arrayBuffer(), revision: Number(response.headers.get("revision")) };
}

export async function post(path, question = {}) {
  const headers = { "content-type": "application/json" };
  return (await asked(`api/${path}`, { method: "POST", headers, body: JSON.stringify(question) })).json();
}

export async function upload(file) {
  return (await asked("api/upload", { method: "POST", body: file })).json();
}
