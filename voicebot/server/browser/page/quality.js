// How good the connection is, from getStats: once a second, over the second before.

const GOOD = { rtt_ms: 200, loss: 0.02, jitter_ms: 30 };
const POOR = { rtt_ms: 450, loss: 0.08, jitter_ms: 80 };

export class Quality {
  #before = new Map();

  // {rtt_ms, loss, jitter_ms, delay_ms, bars}; null: not known.
  async measure(connection, output_s = 0) {
    const found = { rtt_ms: null, loss: null, jitter_ms: null, delay_ms: null, bars: 0 };
    let there = null;
    for (const report of (await connection.getStats()).values()) {
      if (report.type === "candidate-pair" && report.nominated && report.currentRoundTripTime !== undefined) {
        found.rtt_ms = 1000 * report.currentRoundTripTime;
      } else if (report.type === "inbound-rtp" && report.kind === "audio") {
        this.#inbound(report, found);
      } else if (report.type === "remote-inbound-rtp" && report.kind === "audio") {
        there = report.fractionLost ?? null;
      }
    }
    if (there !== null) found.loss = Math.max(found.loss ?? 0, there);
    if (found.delay_ms !== null) found.delay_ms += (found.rtt_ms ?? 0) / 2 + 1000 * output_s;
    found.bars = bars(found);
    return found;
  }

  #inbound(report, found) {
    const before = this.#before.get(report.id) ?? {};
    const change = (name) => (report[name] ?? 0) - (before[name] ?? 0);
    const lost = Math.max(0, change("packetsLost"));
    const all = lost + change("packetsReceived");
    if (all > 0) found.loss = lost / all;
    if (report.jitter !== undefined) found.jitter_ms = 1000 * report.jitter;
    const samples = change("jitterBufferEmittedCount");
    if (samples > 0) found.delay_ms = (1000 * change("jitterBufferDelay")) / samples;
    this.#before.set(report.id, report);
  }
}

function bars(found) {
  const known = Object.keys(GOOD).filter((name) => found[name] !== null);
  if (known.length === 0) return 0;
  if (known.some((name) => found[name] > 2 * POOR[name])) return 1;
  if (known.some((name) => found[name] > POOR[name])) return 2;
  return known.some((name) => found[name] > GOOD[name]) ? 3 : 4;
}

// 0 to 1, of a stream: quiet speech is near 0.2, loud speech near 0.8.
export class Level {
  #analyser;
  #samples;
  #source;
  #value = 0;

  constructor(context, stream) {
    this.#analyser = context.createAnalyser();
    this.#analyser.fftSize = 512;
    this.#samples = new Float32Array(this.#analyser.fftSize);
    this.#source = context.createMediaStreamSource(stream);
    this.#source.connect(this.#analyser);
  }

  get value() {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    const power = this.#samples.reduce((sum, sample) => sum + sample * sample, 0) / this.#samples.length;
    const db = 10 * Math.log10(power + 1e-9);
    const now = Math.min(1, Math.max(0, (db + 55) / 45));
    this.#value = now > this.#value ? now : 0.85 * this.#value + 0.15 * now;
    return this.#value;
  }

  close() {
    this.#source.disconnect();
  }
}
