// Starts reveal.js once the formulas stand, and makes what is too large for its slide smaller until it fits.
const { Reveal, RevealNotes } = window;
const WIDTH = 1280;
const HEIGHT = 720;
const MARGIN = 48;
const SMALLEST = 0.55;
const LARGEST = 1.3; // where there are few words and no figure

// A formula wider than its place gets a smaller font.
function narrow(formula) {
  const inner = formula.querySelector("mjx-math");
  const room = formula.parentElement.clientWidth;
  formula.style.fontSize = "";
  if (inner && inner.offsetWidth > room) formula.style.fontSize = `${(100 * 0.98 * room) / inner.offsetWidth}%`;
}

function overflows(slide) {
  for (const formula of slide.querySelectorAll("mjx-container[display]")) narrow(formula);
  const words = slide.querySelector(".words");
  const picture = slide.querySelector("img");
  const flat = picture && picture.clientHeight < 0.5 * HEIGHT;
  const low = words && words.offsetTop + words.offsetHeight > HEIGHT - MARGIN;
  return flat || low || slide.scrollHeight > HEIGHT || words?.scrollWidth > words?.clientWidth;
}

function fit(slide) {
  let size = slide.matches(".figure, .title") ? 1 : LARGEST;
  slide.style.setProperty("--size", size);
  while (overflows(slide) && size > SMALLEST) slide.style.setProperty("--size", size -= 0.05);
}

async function start() {
  await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
  await Reveal.initialize({
    width: WIDTH, height: HEIGHT, margin: 0, center: false, display: "flex", hash: true, controls: false, slideNumber: "c/t",
    transition: "none", viewDistance: 100, mobileViewDistance: 100, plugins: [RevealNotes],
  });
  for (const slide of document.querySelectorAll(".slides > section")) fit(slide);
  Reveal.layout();
  document.documentElement.dataset.ready = "";
}

window.MathJax = {
  options: { ignoreHtmlClass: "reveal", processHtmlClass: "slides", enableMenu: false },
  startup: {
    pageReady: () => window.MathJax.startup.defaultPageReady().then(start),
  },
};
