import axe from 'axe-core';

/** Problems that axe finds, as readable lines; contrast needs a layout and is looked at elsewhere. */
export async function problemsOf(element: Element): Promise<string[]> {
  const { violations } = await axe.run(element, {
    rules: { 'color-contrast': { enabled: false } },
  });
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 200)}`));
}
