// cost per message of the group path: in-thread engine (worker's side) and through createChatStore
import { openSqliteEngine } from './src/sqlite/sqlite-engine.ts';
import { createStoreCore } from './src/core/store-core.ts';
import { rmSync } from 'node:fs';
rmSync('/dev/shm/csbench', {recursive:true, force:true});
const engine = await openSqliteEngine({path:'/dev/shm/csbench/b.db', readOnly:false, busyTimeoutMs:2000});
const core = createStoreCore(engine, (e)=>console.error(e));
const actor=i=>({agentId:'agent-'+i,isAdmin:false});
await core.runGroup([{actor:actor(0),method:'channel.create',params:{name:'x',channelId:'general',kind:'public',topic:null,metadata:null}}]);
await core.runGroup(Array.from({length:110},(_, i)=>({actor:actor(i+1),method:'channel.join',params:{channelId:'general'}})));
let n=0;
const content='A report of ordinary length, as agents send them: '.repeat(3);
const msg=()=>({actor:actor(n%111),method:'message.send',params:{channelId:'general',content,threadId:null,clientMessageId:'c-'+Math.random().toString(36).slice(2)+(n++),mentions:[],metadata:null}});
for (const size of [10,40]) {
  for (let w=0;w<30;w++) await core.runGroup(Array.from({length:size},msg));
  const G=Math.round(6000/size); let build=0; const c0=process.cpuUsage(); const t=performance.now();
  const lat=[];
  for(let g=0;g<G;g++){const cmds=Array.from({length:size},msg); const a=performance.now(); await core.runGroup(cmds); lat.push(performance.now()-a);}
  const el=performance.now()-t; const c=process.cpuUsage(c0); lat.sort((a,b)=>a-b);
  console.log(`groups of ${size}: ${(el*1000/G/size).toFixed(1)} us/msg wall, cpu ${((c.user+c.system)/G/size).toFixed(1)} us/msg, group p50 ${lat[G>>1].toFixed(2)} ms p99 ${lat[Math.floor(G*.99)].toFixed(2)} ms`);
}
await core.close();
