// What is wrong with the page that is shown, for somebody with a telephone, a keyboard, or a screen reader.
(() => {
  const wrong = [];
  const seen = (element) => element.getClientRects().length > 0;
  const all = (selector) => [...document.querySelectorAll(selector)].filter(seen);
  const words = (element) => element.textContent.trim().replace(/\s+/g, " ").slice(0, 40);

  if (document.documentElement.lang !== "en") wrong.push("the page does not say its language");
  if (!document.title.trim()) wrong.push("the page has no title");
  if (document.compatMode !== "CSS1Compat") wrong.push("the page is shown as those of the last century");
  if (all("h1").length !== 1) wrong.push(`there are ${all("h1").length} headings of the first rank`);
  if (all("main").length !== 1) wrong.push("there is no main part");
  let rank = 0;
  for (const heading of all("h1, h2, h3, h4")) {
    const own = Number(heading.tagName[1]);
    if (own > rank + 1) wrong.push(`a rank is left out before the heading \`${words(heading)}\``);
    rank = own;
  }
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > room) {
    wrong.push(`the page is wider than the screen: ${document.documentElement.scrollWidth} to ${room}`);
  }
  for (const element of document.querySelectorAll("script, iframe, object, embed, img, [style], [onclick]")) {
    wrong.push(`there is a ${element.tagName.toLowerCase()} that our policy forbids`);
  }
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  for (const id of new Set(ids)) if (ids.filter((other) => other === id).length > 1) wrong.push(`the name ${id} is given twice`);
  for (const element of document.querySelectorAll("[aria-labelledby]")) {
    if (!document.getElementById(element.getAttribute("aria-labelledby"))) wrong.push("something is named by what is not there");
  }

  const active = all("a[href], button, input:not([type=hidden]), select, textarea");
  for (const element of active) {
    const name = element.getAttribute("aria-label") ?? words(element);
    if (!name && !element.labels?.length) wrong.push(`a ${element.tagName.toLowerCase()} has no name`);
    if (element.tabIndex !== 0) wrong.push(`no key leads to \`${name}\` in its turn`);
    if (element.tagName === "BUTTON" && element.getBoundingClientRect().height < 40) {
      wrong.push(`the button \`${name}\` is too low for a finger`);
    }
    element.focus({ focusVisible: true });
    const style = getComputedStyle(element);
    if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) === 0) wrong.push(`nobody sees that \`${name}\` has the focus`);
    element.blur();
  }

  // Light and dark, by the formula of the accessibility guidelines: 4.5 to 1, or 3 to 1 for large letters.
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const colour = (text, under) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const layer of [...under, text]) {
      canvas.fillStyle = layer;
      canvas.fillRect(0, 0, 1, 1);
    }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const sheet = matchMedia("(prefers-color-scheme: dark)").matches ? "rgb(18, 18, 18)" : "rgb(255, 255, 255)";
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !seen(element)) continue;
    const style = getComputedStyle(element);
    const grounds = [sheet];
    const above = [];
    for (let at = element; at; at = at.parentElement) above.unshift(getComputedStyle(at).backgroundColor);
    grounds.push(...above);
    const [ground, letters] = [colour(grounds.at(-1), grounds.slice(0, -1)), colour(style.color, grounds)];
    const [a, b] = [light(ground), light(letters)].sort((one, other) => other - one);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < (large ? 3 : 4.5)) wrong.push(`\`${words(element)}\` is hard to read: ${contrast.toFixed(2)} to 1`);
    if (size < 13) wrong.push(`\`${words(element)}\` is too small: ${size} pixels`);
  }
  return wrong;
})()
