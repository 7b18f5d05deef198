"use strict";
(() => {
  document.documentElement.classList.add("scripted");

  // Ctrl+Enter runs the query.
  const ask = document.querySelector("form[data-keys=run]");
  ask?.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) ask.requestSubmit();
  });
  ask?.addEventListener("change", (event) => {
    if (event.target instanceof HTMLSelectElement) ask.requestSubmit();
  });

  // The pair browser shows a choice at once.
  const browse = document.querySelector("form[data-live=submit]");
  browse?.addEventListener("change", (event) => {
    if (event.target.name === "table") browse.elements.origin.value = "";
    if (event.target instanceof HTMLSelectElement) browse.requestSubmit();
  });

  // What-if: every move of a slider fetches the result alone, the last one asked for wins.
  const knobs = document.querySelector("form[data-live=part]");
  if (knobs) {
    const result = document.getElementById("result");
    let waiting = 0;
    let asked = null;
    const show = async () => {
      asked?.abort();
      asked = new AbortController();
      const query = new URLSearchParams(new FormData(knobs));
      result.setAttribute("aria-busy", "true");
      try {
        const answer = await fetch(`/what-if?${query}`, {
          headers: { "X-Part": "result" },
          signal: asked.signal,
        });
        result.innerHTML = await answer.text(); // escaped by the server
        history.replaceState(null, "", `/what-if?${query}`);
        result.setAttribute("aria-busy", "false");
      } catch (error) {
        if (error.name === "AbortError") return;
        result.setAttribute("aria-busy", "false");
        result.textContent = "The app does not answer: is prefloop ui still running?";
      }
    };
    knobs.addEventListener("input", (event) => {
      const told = event.target.parentElement.querySelector("output");
      if (told) told.value = event.target.value;
      if (event.target.name === "length_penalty") knobs.elements.auto.checked = false;
      clearTimeout(waiting);
      waiting = setTimeout(show, 120);
    });
    knobs.addEventListener("submit", (event) => {
      event.preventDefault();
      show();
    });
  }

  // Review: one key per answer, unless a field is being typed into.
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input:not([type=hidden]), textarea, select");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const key = event.key.toLowerCase();
    if (/^[a-z]$/.test(key)) document.querySelector(`[data-key=${key}]`)?.click();
  });
})();
