import { Presets, SingleBar } from 'cli-progress';

/**
 * A progress bar with lines of text above it. Where the output is no terminal there are the lines
 * alone.
 */
export class Progress {
  readonly #bar: SingleBar | undefined;

  constructor(total: number) {
    if (!process.stdout.isTTY) return;
    this.#bar = new SingleBar(
      {
        stream: process.stdout,
        format: '{bar} {percentage} %, {value} of {total} epochs, {eta_formatted} left',
        barsize: 24,
        clearOnComplete: true,
        linewrap: true, // leaves the terminal as it is, also when the run is interrupted
      },
      Presets.shades_grey,
    );
    this.#bar.start(total, 0);
  }

  advance(): void {
    this.#bar?.increment();
  }

  log(line: string): void {
    if (this.#bar) {
      // The line takes the place of the bar, which is drawn again below it.
      process.stdout.cursorTo(0);
      process.stdout.clearLine(0);
    }
    console.log(line);
  }

  /** Removes the bar; comes before anything else is printed. */
  stop(): void {
    this.#bar?.stop();
  }
}
