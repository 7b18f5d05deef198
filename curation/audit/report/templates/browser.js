"use strict";
(() => {
  const form = document.getElementById("filters");
  if (!form) return;
  const cards = [...document.querySelectorAll("#pair-list .pair")];
  const limit = (text, otherwise) => (text.trim() === "" ? otherwise : Number(text));
  const wanted = () => {
    const fields = new FormData(form);
    return {
      origin: fields.get("origin"),
      flag: fields.get("flag"),
      longer: fields.get("longer"),
      low: limit(fields.get("low"), -Infinity),
      high: limit(fields.get("high"), Infinity),
      bounded: fields.get("low").trim() !== "" || fields.get("high").trim() !== "",
      text: fields.get("text").toLowerCase(),
    };
  };
  const sideFits = (gap, longer) =>
    longer === "" || (longer === "chosen" ? gap > 0 : gap < 0);
  const marginFits = (margin, want) =>
    !want.bounded || (margin !== "" && Number(margin) >= want.low && Number(margin) <= want.high);
  const fits = (card, want) =>
    (want.origin === "" || card.dataset.origin === want.origin) &&
    (want.flag === "" || card.dataset.flags.split(" ").includes(want.flag)) &&
    sideFits(Number(card.dataset.gap), want.longer) &&
    marginFits(card.dataset.margin, want) &&
    (want.text === "" || card.textContent.toLowerCase().includes(want.text));
  const apply = () => {
    const want = wanted();
    let shown = 0;
    for (const card of cards) {
      card.hidden = !fits(card, want);
      shown += card.hidden ? 0 : 1;
    }
    form.elements.count.value = `${shown} of ${cards.length} shown`;
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply, 0));
})();
