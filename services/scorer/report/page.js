"use strict";
(() => {
  const list = document.getElementById("items-list");
  const metric = document.getElementById("sort-metric");
  const order = document.getElementById("sort-order");
  const said = document.getElementById("sort-said");

  const by = (card) => JSON.parse(card.dataset.by)[metric.value];
  // what cannot be judged is last in either order
  const last = 1e9;
  const keys = {
    loss: (card) => by(card)[0] ?? last,
    gain: (card) => -(by(card)[0] ?? -last),
    suite: (card) => Number(card.dataset.number),
  };

  function sort() {
    const cards = [...list.children];
    cards.sort((a, b) => keys[order.value](a) - keys[order.value](b));
    for (const card of cards) {
      card.querySelector(".did").textContent = `${metric.value} ${by(card)[1]}`;
    }
    list.append(...cards);
    const chosen = order.selectedOptions[0].textContent;
    said.textContent = order.value === "suite" ? chosen : `${chosen} of ${metric.value}`;
  }

  if (list && metric) {
    metric.addEventListener("change", sort);
    order.addEventListener("change", sort);
  }

  // one voice at a time
  document.addEventListener("play", (event) => {
    for (const player of document.querySelectorAll("audio")) {
      if (player !== event.target) player.pause();
    }
  }, true);

  // paper has nothing to click on
  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const one of closed) one.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const one of closed) one.open = false;
    closed = [];
  });
})();
