import { Modal } from '@mantine/core';
import styles from './help-dialog.module.css';

const groups: { title: string; keys: [string[], string][] }[] = [
  {
    title: 'Everywhere',
    keys: [
      [['/'], 'Search'],
      [['g', 's'], 'Services'],
      [['g', 't'], 'Traces'],
      [['g', 'l'], 'Logs'],
      [['g', 'm'], 'Metrics'],
      [['t'], 'Light or dark'],
      [['?'], 'This help'],
      [['Esc'], 'Close, or leave a field'],
    ],
  },
  {
    title: 'Lists',
    keys: [
      [['j'], 'Next row'],
      [['k'], 'Row before'],
      [['Enter'], 'Open'],
    ],
  },
  {
    title: 'Trace',
    keys: [
      [['j', 'k'], 'Next span, span before'],
      [['h'], 'Collapse, then to the parent'],
      [['l'], 'Expand, then to the first child'],
      [['n', 'p'], 'Next match, match before'],
      [['1', '…', '5'], 'Attributes, events, links, process, logs of the span'],
      [['c'], 'Collapse or expand all'],
      [['z'], 'Zoom to the span; again: all'],
      [['Esc'], 'Close the span'],
    ],
  },
];

export function HelpDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title="Keyboard"
      size="lg"
      radius={10}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <div className={styles.groups}>
        {groups.map(({ title, keys }) => (
          <section key={title}>
            <h3 className="section-title">{title}</h3>
            <dl className={styles.list}>
              {keys.map(([combination, what]) => (
                <div key={what} className={styles.entry}>
                  <dt>
                    {combination.map((key) => (
                      <kbd key={key}>{key}</kbd>
                    ))}
                  </dt>
                  <dd>{what}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Modal>
  );
}
