/* The figure "Explore" of the first page: draws the numbers that book/explore.py wrote into it. No library, no network. */
"use strict";

(() => {
  const root = document.getElementById("explorer");
  if (!root) return;
  const data = JSON.parse(root.querySelector('script[type="application/json"]').textContent);
  const AMPLITUDES = ["published", "complete"];
  const FRAME = { left: 54, right: 302, top: 8, bottom: 242 };
  const HUNDREDTH = 0.01;

  /* Numbers */

  const sum = (values) => values.reduce((total, value) => total + value, 0);

  /* Four significant digits, as they are stored. */
  function scientific(value) {
    if (value >= 0.1) return value.toPrecision(4);
    const [mantissa, exponent] = value.toExponential(3).split("e");
    return `${mantissa}\u00a0×\u00a0${powerOfTen(Number(exponent))}`;
  }

  const tenths = (value) => (Math.round(10 * value) / 10 || 0).toFixed(1); // never -0.0

  function powerOfTen(exponent) {
    const digits = [...String(exponent)].map((sign) => (sign === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[sign]));
    return `10${digits.join("")}`;
  }

  /* Events per bin beyond the Standard Model: null without a limit, 0 for an empty spectrum, else hundredths. */
  function events(stored) {
    return stored === null ? null : data.n_sm.map((_, bin) => (stored === 0 ? 0 : stored[bin] * HUNDREDTH));
  }

  const plus = (signal) => signal && signal.map((n, bin) => n + data.n_sm[bin]);

  /* Axes that hold everything that can be shown, so that curves move and axes do not */

  const leaves = (tree) => (tree !== null && typeof tree === "object" ? Object.values(tree).flatMap(leaves) : [tree]);
  const isLimit = (g) => typeof g === "number"; // else the word that says why there is none
  const limits = leaves(data.limits).filter(isLimit).map(Math.log10);
  const spectra = Object.values(data.signal).flatMap((case_) => Object.values(case_)).flat(2);
  const tops = [...spectra.map(events).filter(Boolean).flatMap(plus), ...data.n_obs.map((n, bin) => n + data.sigma[bin])];
  const decades = [Math.floor(Math.min(...limits)), Math.ceil(Math.max(...limits, Math.log10(4 * Math.PI)))];
  const counts = [
    10 * Math.floor(Math.min(...data.n_obs.map((n, bin) => n - data.sigma[bin])) / 10),
    10 * Math.ceil(Math.max(...tops) / 10),
  ];

  const scale = (from, to, low, high) => (value) => from + ((value - low) / (high - low)) * (to - from);
  const ends = (values) => [values[0], values[values.length - 1]];
  const logMass = scale(FRAME.left, FRAME.right, ...ends(data.masses).map(Math.log10));
  const logLimit = scale(FRAME.bottom, FRAME.top, ...decades);
  const x = { mass: (m) => logMass(Math.log10(m)), pe: scale(FRAME.left, FRAME.right, ...ends(data.edges)) };
  const y = { limit: (g) => logLimit(Math.log10(g)), events: scale(FRAME.bottom, FRAME.top, ...counts) };

  /* Drawing */

  function draw(parent, tag, attributes, text) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text !== undefined) element.textContent = text;
    parent.append(element);
    return element;
  }

  /* A line through points, with a gap where a point is null. */
  function path(points) {
    let pen = "M";
    const steps = points.map((point) => {
      const step = point && `${pen}${point[0].toFixed(1)} ${point[1].toFixed(1)}`;
      pen = point ? "L" : "M";
      return step;
    });
    return steps.filter(Boolean).join("");
  }

  const curve = (values) => path(values.map((g, i) => isLimit(g) && [x.mass(data.masses[i]), y.limit(g)]));

  function stairs(values) {
    const corners = values.flatMap((n, bin) => [
      [x.pe(data.edges[bin]), y.events(n)],
      [x.pe(data.edges[bin + 1]), y.events(n)],
    ]);
    return path(corners);
  }

  function axes(svg, xTicks, yTicks, xLabel, yLabel) {
    const { left, right, top, bottom } = FRAME;
    for (const [at, text] of xTicks) {
      draw(svg, "path", { class: "grid", d: `M${at} ${top}V${bottom}` });
      draw(svg, "text", { x: at, y: bottom + 16, "text-anchor": "middle" }, text);
    }
    for (const [at, text] of yTicks) {
      draw(svg, "path", { class: "grid", d: `M${left} ${at}H${right}` });
      draw(svg, "text", { x: left - 5, y: at + 4, "text-anchor": "end" }, text);
    }
    draw(svg, "rect", { class: "frame", x: left, y: top, width: right - left, height: bottom - top });
    const middle = (top + bottom) / 2;
    label(svg, xLabel, { x: (left + right) / 2, y: bottom + 34 });
    label(svg, yLabel, { transform: `translate(11 ${middle}) rotate(-90)` });
  }

  /* A centred text in which _ makes the next sign a subscript. */
  function label(svg, text, place) {
    const element = draw(svg, "text", { class: "label", "text-anchor": "middle", ...place });
    text.split(/_(.)/).forEach((part, i) => {
      draw(element, "tspan", i % 2 ? { dy: 3, class: "sub" } : { dy: i ? -3 : 0 }, part);
    });
  }

  const range = (low, high, step) => Array.from({ length: Math.floor((high - low) / step) + 1 }, (_, i) => low + i * step);

  function limitPlot() {
    const svg = document.getElementById("explore-limit");
    const outside = draw(svg, "rect", { class: "outside", x: FRAME.left, y: FRAME.top, height: FRAME.bottom - FRAME.top });
    axes(
      svg,
      [1, 10, 100, 1000].map((m) => [x.mass(m), m]),
      range(3 * Math.ceil(decades[0] / 3), decades[1], 3).map((exponent) => [logLimit(exponent), powerOfTen(exponent)]),
      "m_χ [MeV]",
      "upper limit on g_χ g_q",
    );
    draw(svg, "path", { class: "four-pi", d: `M${FRAME.left} ${y.limit(4 * Math.PI)}H${FRAME.right}` });
    const marker = draw(svg, "path", { class: "chosen" });
    const lines = AMPLITUDES.map((name) => draw(svg, "path", { class: `line ${name}` }));
    const quoted = draw(svg, "path", { class: "quoted" });
    const points = AMPLITUDES.map((name) => draw(svg, "circle", { class: `point ${name}`, r: 5 }));
    return ({ case_, ratio, mass }) => {
      const edge = Math.min(Math.max(data.outside[ratio], data.masses[0]), data.masses[data.masses.length - 1]);
      outside.setAttribute("width", x.mass(edge) - FRAME.left);
      const at = x.mass(data.shown[mass]);
      marker.setAttribute("d", `M${at} ${FRAME.top}V${FRAME.bottom}`);
      AMPLITUDES.forEach((name, i) => {
        const limit = limitOf(case_, name, ratio, mass);
        lines[i].setAttribute("d", curve(data.limits[case_][name][ratio]));
        points[i].setAttribute("cx", at);
        points[i].setAttribute("cy", isLimit(limit) ? y.limit(limit) : 0);
        points[i].toggleAttribute("hidden", !isLimit(limit));
      });
      const here = data.quoted.filter(([c, r]) => c === case_ && r === data.ratios[ratio]);
      quoted.setAttribute("d", here.map(([, , m, g]) => diamond(x.mass(m), y.limit(g))).join(""));
    };
  }

  const diamond = (cx, cy) => `M${cx - 6} ${cy}l6 -6l6 6l-6 6z`;

  function spectrumPlot() {
    const svg = document.getElementById("explore-spectrum");
    axes(
      svg,
      range(...ends(data.edges), 6).map((pe) => [x.pe(pe), pe]),
      range(...counts, 10).map((n) => [y.events(n), String(n).replace("-", "−")]),
      "number of photoelectrons (PE)",
      "residual events / 2 PE",
    );
    draw(svg, "path", { class: "grid zero", d: `M${FRAME.left} ${y.events(0)}H${FRAME.right}` });
    const errors = draw(svg, "g", { class: "data" });
    data.n_obs.forEach((n, bin) => errorBar(errors, x.pe((data.edges[bin] + data.edges[bin + 1]) / 2), n, data.sigma[bin]));
    draw(svg, "path", { class: "line sm", d: stairs(data.n_sm) });
    const lines = AMPLITUDES.map((name) => draw(svg, "path", { class: `line ${name}` }));
    return ({ case_, ratio, mass }) =>
      AMPLITUDES.forEach((name, i) => {
        const total = plus(signalOf(case_, name, ratio, mass));
        lines[i].setAttribute("d", total ? stairs(total) : "");
      });
  }

  function errorBar(parent, cx, n, sigma) {
    const [low, high] = [y.events(n - sigma), y.events(n + sigma)];
    draw(parent, "path", { d: `M${cx} ${low}V${high}M${cx - 3} ${low}h6M${cx - 3} ${high}h6` });
    draw(parent, "circle", { cx, cy: y.events(n), r: 2.5 });
  }

  /* The key: each swatch is what it stands for, drawn small. */
  function swatch(svg) {
    const what = svg.dataset.draws;
    if (what === "data") {
      const errors = draw(svg, "g", { class: "data" });
      draw(errors, "path", { d: "M15 0V12M12 0h6M12 12h6" });
      draw(errors, "circle", { cx: 15, cy: 6, r: 2.5 });
    } else if (what === "outside") {
      draw(svg, "rect", { class: what, x: 0, y: 0, width: 30, height: 12 });
    } else {
      const shapes = { quoted: diamond(15, 6), chosen: "M15 0V12" };
      draw(svg, "path", { class: what, d: shapes[what] ?? "M0 6H30" });
    }
  }

  /* What is chosen, and its numbers */

  const limitOf = (case_, name, ratio, mass) => data.limits[case_][name][ratio][data.masses.indexOf(data.shown[mass])];
  const signalOf = (case_, name, ratio, mass) => events(data.signal[case_][name][ratio][mass]);

  const sliders = { ratio: document.getElementById("explore-ratio"), mass: document.getElementById("explore-mass") };
  const chosen = () => ({
    case_: root.querySelector("input[type=radio]:checked").value,
    ratio: Number(sliders.ratio.value),
    mass: Number(sliders.mass.value),
  });

  /* The numbers of the readout as text, by the names that the places for them carry. */
  function describe({ case_, ratio, mass }) {
    const [published, complete] = AMPLITUDES.map((name) => limitOf(case_, name, ratio, mass));
    const [more, less] = AMPLITUDES.map((name) => signalOf(case_, name, ratio, mass)).map((n) => n && tenths(sum(n)));
    const paid = (n) => (n === null ? "nothing" : (n * HUNDREDTH).toFixed(2));
    const [price, fee] = AMPLITUDES.map((name) => paid(data.price[case_][name][ratio][mass]));
    const said = (g) => (isLimit(g) ? scientific(g) : { never: "none (never excluded)", "no signal": "none (no signal)" }[g]);
    return {
      ratio: data.ratios[ratio],
      mass: data.shown[mass],
      mediator: Number((data.ratios[ratio] * data.shown[mass]).toPrecision(4)),
      case: case_,
      published: said(published),
      complete: said(complete),
      more: more ?? "no",
      less: less ?? "no",
      rise: data.rise,
      price: price,
      fee: fee,
      sm: sum(data.n_sm).toFixed(0),
      data: sum(data.n_obs).toFixed(0),
    };
  }

  const plots = [limitPlot(), spectrumPlot()];

  function show() {
    const choice = chosen();
    const words = describe(choice);
    root.dataset.case = choice.case_;
    plots.forEach((plot) => plot(choice));
    for (const place of root.querySelectorAll("[data-shows]")) place.textContent = words[place.dataset.shows];
    sliders.ratio.setAttribute("aria-valuetext", `${words.ratio}`);
    sliders.mass.setAttribute("aria-valuetext", `${words.mass} MeV`);
    document.getElementById("explore-limit-desc").textContent =
      `Curves of the upper limit over the mass of chi from 1 to 1000 MeV on logarithmic axes, published and ` +
      `complete. At ${words.mass} MeV: published ${words.published}, complete ${words.complete}.`;
    document.getElementById("explore-spectrum-desc").textContent =
      `Events in bins of 2 photoelectrons from 6 to 30: data with errors, the Standard Model with ${words.sm} events, ` +
      `and on top of it the signal at the published limit, ${words.more} events published, ${words.less} complete.`;
  }

  root.querySelectorAll(".swatch").forEach(swatch);
  root.addEventListener("input", show);
  root.querySelectorAll(".awake").forEach((element) => element.toggleAttribute("hidden", false));
  root.querySelector(".asleep").hidden = true;
  show();
})();
