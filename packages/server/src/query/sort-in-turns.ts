import { Turns } from './turns.ts';

/** So many are sorted, or merged, without a look at the clock. */
const RUN = 2_048;

/** Sorts in place, with turns for others in between; what is equal stays in its order. */
export async function sortInTurns<Item>(
  items: Item[],
  compare: (a: Item, b: Item) => number,
  turns = new Turns(),
): Promise<void> {
  const rest = async (): Promise<void> => {
    if (turns.isOver) await turns.next();
  };
  for (let from = 0; from < items.length; from += RUN) {
    const run = items.slice(from, from + RUN).sort(compare);
    for (const [at, item] of run.entries()) items[from + at] = item;
    await rest();
  }
  for (let length = RUN; length < items.length; length *= 2) {
    for (let from = 0; from + length < items.length; from += 2 * length) {
      const left = items.slice(from, from + length);
      const end = Math.min(from + 2 * length, items.length);
      let [next, right] = [0, from + length];
      for (let to = from; next < left.length && to < end; to++) {
        const isRight = right < end && compare(left[next] as Item, items[right] as Item) > 0;
        items[to] = (isRight ? items[right++] : left[next++]) as Item;
        if (to % RUN === 0) await rest();
      }
    }
  }
}
