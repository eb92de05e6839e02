// What would be wrong with a card in front of somebody.
(() => {
  const wrong = [];
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > room) wrong.push(`wider than the screen: ${document.documentElement.scrollWidth} to ${room}`);
  for (const card of document.querySelectorAll("article")) {
    const state = card.previousElementSibling.textContent;
    const [headline, ...others] = card.querySelectorAll(".section");
    if (!headline?.textContent.trim()) wrong.push(`${state}: nothing at a glance`);
    for (const section of others) {
      for (const line of section.innerHTML.split("<br>")) if (!line.trim()) wrong.push(`${state}: a line of nothing`);
    }
    for (const link of card.querySelectorAll("a")) if (!link.textContent.trim()) wrong.push(`${state}: a link without words`);
    const buttons = [...card.querySelectorAll("button")].map((button) => button.textContent.trim());
    // A telephone shows about thirty characters of a button.
    for (const button of buttons) if (!button || button.length > 30) wrong.push(`${state}: a button of ${button.length} characters`);
    // On a page each row has its own.
    if (!state.startsWith("page") && new Set(buttons).size < buttons.length) wrong.push(`${state}: two buttons of the same words`);
  }
  return wrong;
})()
