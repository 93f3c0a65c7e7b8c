import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { makeTemporaryFolder } from '../measured-process.ts';
import type { ServerCertificate, Transport } from '../transport.ts';
import type { Contestant } from './contestant.ts';
import { installedVersion } from './installed-version.ts';
import { freePort, startOnPort } from './on-port.ts';

/** nginx as a proxy for WebSockets, with one worker. */
export const nginx: Contestant = {
  name: 'nginx',
  description: 'nginx with one worker, which forwards bytes and keeps no log',
  version: () => installedVersion('nginx', ['-v'], /nginx\/([\d.]+)/),
  start: async (csmsUrl, transport, { certificate }) => {
    const folder = makeTemporaryFolder();
    const port = await freePort();
    const file = path.join(folder, 'nginx.conf');
    mkdirSync(path.join(folder, 'temp'));
    writeFileSync(file, configuration(folder, port, new URL(csmsUrl), transport, certificate));
    return startOnPort(port, transport, 'nginx', ['-c', file, '-p', folder, '-e', 'stderr']);
  },
};

function configuration(
  folder: string,
  port: number,
  csms: URL,
  transport: Transport,
  { certificateFile, keyFile }: ServerCertificate,
): string {
  const tls =
    transport === 'plain'
      ? ''
      : `ssl_certificate ${certificateFile}; ssl_certificate_key ${keyFile}; ssl_protocols TLSv1.3;`;
  const temporaryPaths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/temp/${name};`)
    .join(' ');
  return `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr error;
events { worker_connections 8192; }
http {
  access_log off;
  ${temporaryPaths}
  upstream csms { server ${csms.host}; }
  server {
    listen 127.0.0.1:${port}${transport === 'tls' ? ' ssl' : ''} backlog=4096;
    ${tls}
    location /ocpp/ {
      proxy_pass http://csms${csms.pathname}/;
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_read_timeout 1h;
      proxy_send_timeout 1h;
    }
  }
}
`;
}
