// The network goes and comes back.
import { connect, createServer } from 'node:net';
import { live } from './people.mjs';
import { expect, until } from './until.mjs';

export const scenarios = { 'a lost connection is said and comes back': lostConnection, 'a device without network says so': withoutNetwork };

/** What the browser says of requests that cannot go out. */
const unreachable = /net::ERR_|WebSocket|Failed to load resource/;

async function lostConnection({ url, person, picture, figure }) {
  const line = await Line.to(new URL(url));
  try {
    const operator = await person({ url: line.url });
    const page = await operator.signIn('operator');
    await operator.openAsset('pump-a03');
    await live(page);
    operator.expected = unreachable;

    line.cut();
    await page.getByRole('status', { name: 'Reconnecting' }).waitFor();
    await page.getByText(/Live data stands still since/).waitFor();
    await page.getByRole('heading', { level: 1, name: /Feed pump A03/ }).waitFor();
    await picture(page, 'reconnecting');

    const begin = Date.now();
    line.mend();
    await live(page);
    figure(`live again ${((Date.now() - begin) / 1000).toFixed(1)} s after the server came back`);
    await page.getByText(/Live data stands still since/).waitFor({ state: 'detached' });
    operator.expected = null;
    await goesOn(page);
  } finally {
    line.end();
  }
}

async function withoutNetwork({ person, picture, figure }) {
  const operator = await person();
  const page = await operator.signIn('operator');
  await operator.openAsset('pump-a03');
  await live(page);
  operator.expected = unreachable;

  const begin = Date.now();
  await operator.context.setOffline(true);
  await page.getByRole('status', { name: 'Offline' }).waitFor();
  figure(`loss of the network said after ${((Date.now() - begin) / 1000).toFixed(1)} s`);
  await page.getByText(/This device is offline/).waitFor();
  await picture(page, 'offline');

  await operator.context.setOffline(false);
  await live(page);
  await page.getByText(/This device is offline/).waitFor({ state: 'detached' });
  operator.expected = null;
  await goesOn(page);
}

async function goesOn(page) {
  const chart = page.getByRole('figure', { name: 'Vibration RMS' });
  const values = new Set();
  await until('readings flow again', async () => values.add(await chart.innerText()).size > 2);
  expect(await page.getByRole('main').getByText('Try again').count() === 0, 'nothing has to be tried again by hand');
}

/** Line is a way to the server that can be cut: a forwarder of TCP connections. */
class Line {
  #sockets = new Set();
  #whole = true;

  static async to({ hostname, port }) {
    const line = new Line();
    const keep = (socket) => {
      line.#sockets.add(socket);
      socket.on('close', () => line.#sockets.delete(socket)).on('error', () => socket.destroy());
      return socket;
    };
    line.server = createServer((from) => {
      keep(from);
      if (!line.#whole) return void from.destroy();
      const to = keep(connect(Number(port), hostname));
      from.pipe(to).pipe(from);
      from.on('close', () => to.destroy());
      to.on('close', () => from.destroy());
    });
    await new Promise((resolve) => line.server.listen(0, '127.0.0.1', resolve));
    line.url = `http://127.0.0.1:${line.server.address().port}`;
    return line;
  }

  cut() {
    this.#whole = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend() {
    this.#whole = true;
  }

  end() {
    this.cut();
    this.server.close();
  }
}
