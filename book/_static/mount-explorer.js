// Mounts explorers on book pages without Jupyter's widget machinery:
//   <div class="genai-explorer" data-module="game.js"></div>
// The module's render() gets a model that remembers what it is told, as a kernel would.
const place = new URL("vendor/explorers/", import.meta.url);

function memory(initial) {
  const values = { ...initial }, listeners = {};
  return {
    get: (name) => values[name],
    set: (name, value) => { values[name] = value; (listeners[`change:${name}`] || []).forEach((call) => call()); },
    on: (event, call) => { (listeners[event] ||= []).push(call); },
    off: () => {},
    save_changes: () => {},
  };
}

for (const el of document.querySelectorAll(".genai-explorer[data-module]")) {
  const address = new URL(el.dataset.module, place);
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = address.href.replace(/\.js$/, ".css");
  document.head.append(style);
  const { default: explorer } = await import(address.href);
  explorer.render({ model: memory(JSON.parse(el.dataset.values || "{}")), el });
}
