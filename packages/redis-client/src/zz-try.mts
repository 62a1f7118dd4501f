import { startCluster, waitFor } from '@openclaw/test-support';
import { createRedisClient } from './index.ts';
const c = await startCluster();
for (let i=0;i<15;i++) {
  const redis = createRedisClient({cluster: c.nodes.slice(0,2)});
  if (i%3) await waitFor(()=>redis.available && redis.subscriber.connected);
  if (i%2) await new Promise(r=>setTimeout(r, 900+Math.random()*200));
  const t0=Date.now(); await redis.close(); process.stdout.write((Date.now()-t0)+' ');
}
const m = await c.masterOf('x'); m.freeze();
const redis = createRedisClient({cluster: c.nodes.slice(0,3)});
await new Promise(r=>setTimeout(r, 1500));
const t0=Date.now(); await redis.close(); console.log('frozen close', Date.now()-t0);
await c.stop();
const t=Date.now(); 
setInterval(()=>console.log(process.getActiveResourcesInfo()),500).unref();
process.on('exit',()=>console.log('exit after', Date.now()-t));
